"""Sentences of the author that stand where mail programs put theirs are never hidden."""
# ruff: noqa: E501 - the material stands on one line each, as it would come

import re

import pytest

from channels.email.htmltext import html_lines
from channels.email.parse import parse
from channels.email.visible import split_lines, split_text

_ONLY_DASHES = re.compile(r"[-–—_*]+")

OWN = [
    "Please change my booking:\n\nFrom: Hanoi\nTo: Da Nang\nDate: 3 March 2026\nSubject: two adults\n\nThank you.",
    "Name: Anna\nFrom: anna@example.test\nTo: you\nSubject: complaint\nDate: today\n\nThe lamp is broken.",
    "As you wrote on 3 February 2026 at 10:15:\nthe lamp is free of charge. I want it.",
    'On 3 February 2026 at 10:15 your colleague Mai wrote:\n"We will refund you."\nThat did not happen.',
    'On 3 Feb 2026 at 10:15, Mai from your shop (mai@shop.test) wrote:\n\n"We will refund you."\n\nI still wait for it!',
    'Ngày 03/02/2026 lúc 10:15 nhân viên của quý vị viết:\n"Chúng tôi sẽ hoàn tiền."\nTôi vẫn chưa nhận được.',
    'Am 03.02.2026 um 10:15 Uhr schrieb Ihre Kollegin Frau Müller:\n"Wir erstatten."\nDas ist nicht geschehen.',
    "Le 03/02/2026 à 10:15, votre collègue m'a écrit :\n« Nous remboursons. »\nJe n'ai rien reçu.",
    "Order:\n-----\n2 lamps\n-----\nTotal 30\n-----\nPlease confirm\n--\nAnd please hurry, I leave on Friday.",
    "Hello\n--\nI have two questions.\n--\nOne: when?\n--\nTwo: how much?",
    "Intro\n________________________________\nThis is section two with my address and the rest of the complaint.\n",
    "Hi\n\n--\nAnna\n\nPS: please also send the invoice to my new address, Hue Street 5.",
    "Hello, please cancel.\n\nSent from my iPhone\n\nPS: order 4711",
    "The parcel was lost.\nSent from Hanoi on Monday, never arrived.",
    "Sent from Hanoi on Monday.",
    "Kiện hàng bị mất.\nGửi từ Hà Nội hôm thứ Hai.",
    "Tôi hỏi về gói hàng.\nĐã gửi từ kho Bình Dương ngày 3/2 mà chưa tới.",
    "Mon colis est perdu.\nEnvoyé de Lyon le 3 février.",
    "Mi paquete no llega.\nEnviado desde Madrid el lunes 3.",
    "Mein Paket fehlt.\nGesendet von Hamburg am 3.2. per DHL.",
    "My complaint is about the parcel.\nSent by DHL on 3 Feb, number 12345.",
    "I returned the lamp.\nSent via UPS last week.",
    "How do I\nGet Outlook for my new laptop?",
    "Best regards\nAnna\n\nOne more thing: the blue one, not the red one.",
    "> I only answer with a quote sign",
    "| item | qty |\n| lamp | 2 |\n| bulb | 4 |\nplease send",
    "---------- Forwarded message ---------\nis what I see in the mail you sent me, what does it mean?",
    "The subject says\n-----Original Message-----\nwhy?",
    "Begin forwarded message:\nthis text stands in your mails, please remove it.",
    "Subject: my lamp\nFrom: Anna in Hanoi\nSent: two letters, no answer.\nPlease help.",
    'Your webshop mail shows\n"On Feb 3, 2026 at 10:15 AM Shop <shop@shop.test> wrote:"\nwhy is that?',
    "You can write to me at\nAnna Smith <anna@example.test>:\nI read it daily.",
    "On Monday 3 Feb 2026 10:15 the courier Tom <tom@dhl.test> wrote:\nno one at home. But I was at home.",
    "These mails were never answered:\n3 Feb 2026, 10:15, to shop@shop.test:\nwhere is my lamp?\n5 Feb 2026, 11:15, to shop@shop.test:\nstill waiting",
    "我在2026年2月3日 10:15 写道：\n请退款。\n但是没有人回复。",
    "你们的客服2026年2月3日 10:15写道：\n会退款。\n还没有收到。",
    "2026年2月3日 10:15に御社の担当者が書きました：\n返金します。\nまだです。",
    "Từ: Hà Nội\nĐến: Huế\nNgày: 3/2/2026\nChủ đề: đặt vé\nXin đặt hai vé.",
    "Người gửi: Nguyễn Lan\nNgười nhận: Trần Minh\nNgày gửi: 03/02/2026\nTiêu đề: bưu kiện 123\nBưu kiện của tôi chưa tới.",
    "From: Nguyen Lan\nTo: Tran Minh\nSent: 3 Feb 2026\nSubject: parcel 4711\n\nThis is the label of the parcel that was lost. Please search for it.",
    "Họ tên: Lan\nEmail: lan@example.test\nTiêu đề: Khiếu nại\nNội dung: Đèn hỏng\nTôi muốn đổi.",
    "***\nImportant\n***\nPlease read: cancel my order.",
    "Question 1\n_____\nQuestion 2\n_____\nQuestion 3",
    "Q> how much?\nA> 30\nIs that right?",
    "me> hello\nyou> hi\nthat was our chat, please check",
    "Anna 10:15> hello\nShop 10:16> hi\nWhy did you close the chat?",
    "Le 3 mars, mon mari vous a écrit :\nil voulait annuler.",
    "—\nTôi muốn hủy đơn 4711",
    "--\nAnna here. My lamp is broken.",
    "This message is confidential: my wife must not see the bill. Send it to my office.",
]

# Subject and text of a whole mail: one that answers nothing has less that may be older.
MAILS = [
    (
        "Hỏi hàng",
        'Chào shop,\n\nNgày 03/02/2026 10:15, shop gửi cho tôi:\n"Sẽ giao ngày 5".\nĐến nay chưa có.\n\nTrân trọng,\nLan',
    ),
    (
        "Khiếu nại",
        "Chào shop,\nVào lúc 10:15 ngày 3/2/2026 bạn Mai CSKH đã viết:\nSẽ hoàn tiền trong 3 ngày.\nNhưng tôi chưa nhận được.",
    ),
    ("Complaint", "Hi,\nOn 3 Feb 2026 at 10:15 Mai Tran wrote:\nwe will refund you within 3 days.\nNothing has come."),
    ("Beschwerde", "Hallo,\nam 03.02.2026 um 10:15 Uhr schrieb Mai Tran:\nwir erstatten.\nNichts kam."),
    ("Chat", "Hello,\n3 Feb 2026 10:15 Mai:\nwe refund\n3 Feb 2026 10:16 Anna:\nthanks\nNothing came."),
    ("Chat", "My chat:\n[03/02/2026, 10:15:00] Mai: we refund\n[03/02/2026, 10:16:00] Anna: thanks\nNothing came."),
    (
        "Order",
        "From: Hanoi Central Station, 10:15\nTo: Hue, 15:00\nDate: 3 March 2026\nSubject: trip\n\nTwo seats please.",
    ),
    ("Visit", "When: 3 March 2026 10:15\nWhere: your shop\nSubject: repair\nFrom: Anna\nTo: shop\nPlease confirm."),
    (
        "Flight",
        "Departure:\nFrom: SGN 3 March 2026 10:15\nTo: HAN 3 March 2026 12:20\nDate: 3 March 2026 10:15\nPlease send the invoice.",
    ),
    (
        "Spam from you?",
        "I got this, is it from you?\n\nFrom: fake@shop-test.test\nTo: anna@example.test\nSubject: your account\n\nPlease answer.",
    ),
    (
        "List",
        "I need:\n- two lamps\n- one bulb\n--\nThank you\nAnna\n\nPlease call me before you deliver, the bell is broken.",
    ),
    ("x", "Please keep this confidential. My new address is Hue Street 5."),
    ("x", "It was\nSent from my old address in Hue.\n"),
    ("x", "The parcel was\nSent from my shop in Hue to your office."),
    ("x", "Het pakket is\nVerzonden via PostNL op maandag."),
    ("x", "Paczka\nWysłano z Warszawy 3 lutego."),
    ("x", "Посылка\nОтправлено из Москвы 3 февраля."),
    ("x", "I typed:\n> help\n> quit\n"),
    ("Re: Lamp", "Ok\n\nFrom: Anna\n\nTo: you, with love"),
    ("Re: Lamp", "1) Which colour?\n   > Red\n2) How many?\n   > Two"),
    ("Re: Lamp", "Which colour?\n>> Red\nHow many?\n>> Two"),
    ("Re: x", "Yes\n\n-- \nAnna\n\n-- \nPS: and the bulb?"),
    ("Re: x", "Yes\n--\nAnna\nCall me, not my husband: 0912 345 678"),
    ("Re: x", "Yes\n\n_____________________\nMy new phone is 0912 345 678, please note it."),
    ("Re: x", 'On 3 Feb 2026, at 10:15, Shop <shop@shop.test> wrote: "we refund" but you did not.'),
    ("x", "Your mails show\n--- reply above this line ---\nwhat does it mean?"),
    ("x", "-----Original Message-----\nis on all your mails. Please remove."),
    ("x", "Forwarded message:\nis what it says, why?"),
    ("x", "I wrote on 3 March 2026 at 10:15:\n> cancel my order\nand nobody answered."),
    (
        "x",
        "Bonjour,\nLe 3 mars 2026 à 10:15, Marc du service client a écrit :\nremboursement sous 3 jours.\nRien reçu.",
    ),
    (
        "x",
        "Hola,\nEl 3 de marzo de 2026 a las 10:15, Marta de atención al cliente escribió:\nreembolso en 3 días.\nNada.",
    ),
    ("x", "你好，\n2026年2月3日 10:15，客服小王写道：\n会退款。\n没有收到。"),
]

PROGRAMS = [
    (
        '<div dir="ltr"><div class="gmail_quote"><div class="gmail_attr">On Tue, Feb 3, 2026 Shop &lt;shop@shop.test&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0"><div>Which colour?</div></blockquote><div>Red please.</div><blockquote class="gmail_quote"><div>How many?</div></blockquote><div>Two.</div></div></div>',
        ["Red please.", "Two."],
        ["On Tue, Feb 3"],
    ),
    (
        '<div dir="ltr">Hi</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Tue, Feb 3, 2026 at 10:15 AM Shop &lt;shop@shop.test&gt; wrote:<br></div><blockquote class="gmail_quote"><div>Which colour?</div></blockquote><div>Red please.</div></div>',
        ["Hi", "Red please."],
        [],
    ),
    (
        '<html><body dir="auto">Yes please.<br><br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On Feb 3, 2026, at 10:15 AM, Shop &lt;shop@shop.test&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">OLDTEXT</div></blockquote></body></html>',
        ["Yes please."],
        ["OLDTEXT", "iPhone", "On Feb"],
    ),
    (
        '<html><body dir="auto">Vâng.<br><br><div dir="ltr">Đã gửi từ iPhone của tôi</div><div dir="ltr"><br><blockquote type="cite">Vào 3 thg 2, 2026, lúc 10:15, Shop &lt;shop@shop.test&gt; đã viết:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">OLDTEXT</div></blockquote></body></html>',
        ["Vâng."],
        ["OLDTEXT", "iPhone"],
    ),
    (
        '<div>Yes please.</div><div id="ms-outlook-mobile-signature"><div><br></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg"><b>From:</b> Shop</div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT", "Outlook"],
    ),
    (
        '<div class="WordSection1"><p class="MsoNormal">See below</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>From:</b> Shop</p></div></div><p class="MsoNormal">OLDTEXT</p></div>',
        ["See below"],
        ["OLDTEXT"],
    ),
    (
        '<div class="elementToProof">Yes please.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr"><font><b>From:</b> Shop</font></div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    ('<div id="appendonsend"></div><div>I write under it.</div>', ["I write under it."], []),
    (
        '<div class="ydp1234abcyahoo-style-wrap"><div dir="ltr">Yes please.</div><div><br></div></div><div id="ydp99yahoo_quoted_1" class="ydp99yahoo_quoted"><div>On Tuesday, February 3, 2026 at 10:15 AM, Shop wrote:</div><div>OLDTEXT</div></div>',
        ["Yes please."],
        ["OLDTEXT", "On Tuesday"],
    ),
    (
        'Yes please.<br><br><div id="ymail_android_signature"><a href="x">Sent from Yahoo Mail on Android</a></div> <br> <blockquote style="margin: 0 0 20px 0;"> <div style="font-family:Roboto"> <div>On Tue, Feb 3, 2026 at 10:15, Shop</div><div>&lt;shop@shop.test&gt; wrote:</div> </div> <div style="padding: 10px 0 0 20px"> OLDTEXT</div></blockquote>',
        ["Yes please."],
        ["OLDTEXT", "Sent from"],
    ),
    (
        '<div>Yes please.</div><div class="zmail_extra_hr" style="border-top: 1px solid rgb(204,204,204)"><br></div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- On Tue, 03 Feb 2026 10:15:00 +0700 <b>Shop</b> wrote ---</div><blockquote>OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT", "On Tue"],
    ),
    (
        '<div>Yes please.</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me/">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">On Tuesday, February 3rd, 2026 at 10:15 AM, Shop wrote:<br><blockquote class="protonmail_quote" type="cite">OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT", "Proton"],
    ),
    (
        '<div>Yes please.<div><br><div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b> Dienstag, 03. Februar 2026 um 10:15 Uhr<br/><b>Von:</b> Shop<br/><b>An:</b> anna@example.test<br/><b>Betreff:</b> Lamp</div><div name="quoted-content">OLDTEXT</div></div></div></div>',
        ["Yes please."],
        ["OLDTEXT", "Gesendet"],
    ),
    (
        '<div class="moz-cite-prefix">On 03/02/2026 10:15, Shop wrote:<br></div><blockquote type="cite" cite="mid:x">OLDTEXT</blockquote><p>Yes please.</p><pre class="moz-signature">-- \nAnna</pre>',
        ["Yes please."],
        ["OLDTEXT", "Anna"],
    ),
    (
        '<blockquote type="cite"><p>Which?</p></blockquote><p>Red.</p><blockquote type="cite"><p>Many?</p></blockquote><p>Two.</p>',
        ["Red.", "Two."],
        [],
    ),
    (
        '<div><b><p>Yes please.</div></b><blockquote type="cite"><div>OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    ('<div>Hi</div><blockquote type="cite"><div>OLDTEXT</div><p>end', ["Hi"], ["OLDTEXT"]),
    ("<p>My list:</p><blockquote>First point of mine.</blockquote><p>Bye</p>", ["First point of mine.", "Bye"], []),
    ("<blockquote>All I have to say.</blockquote>", ["All I have to say."], []),
    (
        "<p>Please print on the card:</p><blockquote>Happy birthday, Mai!</blockquote>",
        ["Please print on the card:", "Happy birthday, Mai!"],
        [],
    ),
    (
        '<p>As follows:</p><blockquote style="margin-top:0;margin-bottom:0"><div>two lamps</div></blockquote>',
        ["two lamps"],
        [],
    ),
    (
        '<div dir="ltr">As follows:<blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>two lamps</div></blockquote></div>',
        ["two lamps"],
        [],
    ),
    (
        '<div dir="ltr">The label says<br><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">Fragile</blockquote>and it was broken.</div>',
        ["Fragile", "and it was broken."],
        [],
    ),
    ("<p>First</p><hr><p>Second</p>", ["First", "Second"], []),
    (
        '<div class="WordSection1"><p class="MsoNormal">First</p><div style="border:none;border-top:solid windowtext 1.0pt;padding:1.0pt 0in 0in 0in"><p class="MsoNormal">Second part of my text under a line that I drew.</p></div></div>',
        ["First", "Second part of my text under a line that I drew."],
        [],
    ),
    (
        '<div class="gmail_signature">Anna<br>Shop</div><div>Text below the signature by me.</div>',
        ["Text below the signature by me."],
        [],
    ),
    ('<div class="gmail_signature">Please cancel my order.</div>', ["Please cancel my order."], []),
    (
        '<div dir="auto">Yes please.</div><div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757">Sent from my Galaxy</div></div><div dir="auto"><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Original message --------</div><div>From: Shop &lt;shop@shop.test&gt; </div><div>Date: 03/02/2026  10:15  (GMT+07:00) </div><div>To: anna@example.test </div><div>Subject: Lamp </div><div><br></div></div>OLDTEXT',
        ["Yes please."],
        ["OLDTEXT", "Galaxy"],
    ),
    (
        '<div>Yes please.</div><blockquote style="border-left:1px solid #0857A6; margin:10px; padding:0 0 0 10px;">Вторник, 3 февраля 2026, 10:15 +03:00 от Shop &lt;shop@shop.test&gt;:<br><div id="">OLDTEXT</div></blockquote>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    (
        '<div>Yes please.</div><p><br></p><div style="border-left:#333 3px solid; padding-left:10px"><b>-----Original Message-----</b><br><b>From:</b> "Shop"<br><b>To:</b> anna<br><b>Subject:</b> x</div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    (
        '<div name="messageBodySection"><div dir="auto">Yes please.</div></div><div name="messageSignatureSection"><br>Anna</div><div name="messageReplySection">On 3 Feb 2026, 10:15 +0700, Shop &lt;shop@shop.test&gt;, wrote:<br><blockquote type="cite">OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT", "On 3 Feb"],
    ),
    (
        '<div id="bloop_customfont">Yes please.</div><br><div id="bloop_sign_1" class="bloop_sign">Anna</div><br><p class="airmail_on">On 3 February 2026 at 10:15:00, Shop (<a>shop@shop.test</a>) wrote:</p> <blockquote type="cite" class="clean_bq"><span>OLDTEXT</span></blockquote>',
        ["Yes please."],
        ["OLDTEXT", "On 3 Feb"],
    ),
    (
        '<div>Yes please.</div><div><br></div><div style="font-size: 12px;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size: 12px;background:#efefef;"><div><b>发件人:</b>&nbsp;"Shop"&lt;shop@shop.test&gt;;</div><div><b>发送时间:</b>&nbsp;2026年2月3日(星期二) 上午10:15</div><div><b>收件人:</b>&nbsp;"Anna";</div><div><b>主题:</b>&nbsp;Lamp</div></div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT", "原始"],
    ),
    (
        '<div>Yes please.</div><br/><div class="ntes-mailmaster-quote"><div>---- Replied Message ----</div><table><tr><td>From</td><td>Shop</td></tr></table><div>OLDTEXT</div></div>',
        ["Yes please."],
        ["OLDTEXT", "Replied"],
    ),
    (
        '<div>Yes please.</div><p>At 2026-02-03 10:15:00, "Shop" &lt;shop@shop.test&gt; wrote:</p><blockquote id="isReplyContent">OLDTEXT</blockquote>',
        ["Yes please."],
        ["OLDTEXT", "At 2026"],
    ),
    (
        '<div>Yes please.</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>"Shop"<br><b>To: </b>anna<br><b>Sent: </b>Tuesday<br><b>Subject: </b>Lamp<br></div><div data-marker="__QUOTED_TEXT__">OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT", "Subject"],
    ),
    (
        '<div>Yes please.</div><div class="sh-signature"><div class="gmail_signature">Sent via Superhuman</div></div><br><div class="gmail_quote sh-color-black">On Tue, Feb 03, 2026 at 10:15 AM, Shop &lt;shop@shop.test&gt; wrote:<br><blockquote class="gmail_quote">OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT", "Superhuman"],
    ),
    (
        '<div class="trix-content">Yes please.<br><br>On February 3, 2026, Shop &lt;shop@shop.test&gt; wrote:<br><blockquote>OLDTEXT</blockquote></div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    (
        '<div>Yes please.</div><br><div class="front-signature"><p>Anna</p></div><br><div class="front-blockquote-caption">On February 3, 2026 at 10:15 AM GMT+7 shop@shop.test wrote:</div><blockquote class="front-blockquote">OLDTEXT</blockquote>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    (
        '<div>Yes please.</div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal" style="margin-bottom:12.0pt"><b><span style="font-size:12.0pt;color:black">From: </span></b><span>Shop</span></p></div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
    (
        '<p>Yes please.</p><hr><div id="x_divRplyFwdMsg"><b>From:</b> Shop</div><div>OLDTEXT</div>',
        ["Yes please."],
        ["OLDTEXT"],
    ),
]

# What stands right above "> " lines in programs and languages that are met less often.
ABOVE_QUOTES = [
    "Wiadomość napisana przez Shop <shop@shop.test> w dniu 3 lut 2026, o godz. 10:15:",
    "V V tor., 3. feb. 2026 ob 10:15 je oseba Shop <shop@shop.test> napisala:",
    "Kasutaja Shop (<shop@shop.test>) kirjutas kuupäeval T, 3. veebruar 2026 kell 10:15:",
    "Noong Mar, Peb 3, 2026 nang 10:15 AM, sinulat ni Shop <shop@shop.test> ang:",
    "уто, 3. феб 2026. у 10:15 Shop <shop@shop.test> је написао/ла:",
    "Quoting Shop <shop@shop.test>:",
    "Zitat von Shop <shop@shop.test>:",
    "3. Feb. 2026, 10:15 von shop@shop.test:",
    "---- 回复的原邮件 ----\n| 发件人 | Shop<shop@shop.test> |\n| 日期 | 2026年02月03日 10:15 |\n| 收件人 | Anna |\n| 主题 | Re: Lamp |",
    "---- Replied Message ----\n| From | Shop<shop@shop.test> |\n| Date | 02/03/2026 10:15 |\n| To | Anna |\n| Subject | Re: Lamp |",
    '========================================\nMessage du : 03/02/2026 10:15\nDe : "Shop" <shop@shop.test>\nA : anna@example.test\nCopie à :\nSujet : Re: Lamp',
    '----- Mail original -----\nDe: "Shop" <shop@shop.test>\nÀ: anna@example.test\nEnvoyé: Mardi 3 Février 2026 10:15:00\nObjet: Re: Lamp',
    "##- Please type your reply above this line -##",
    "--- Vui lòng trả lời phía trên dòng này ---",
    "Từ: Shop <shop@shop.test>\nNgày: Thứ Ba, 3 tháng 2, 2026 lúc 10:15\nĐến: Anna <anna@example.test>\nChủ đề: Đèn",
    "-------- Thư gốc --------\nTừ: Shop <shop@shop.test>\nNgày: 03/02/2026 10:15 (GMT+07:00)\nTới: anna@example.test\nTiêu đề: Re: Lamp",
    "Vào ngày Th 3, 3 thg 2, 2026 lúc 10:15 CH Shop <shop@shop.test> đã viết:",
    "Lúc 10:15, 3 thg 2, 2026, Shop <shop@shop.test> viết:",
]


def lost(text: str, shown: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line and not _ONLY_DASHES.fullmatch(line) and line not in shown]


@pytest.mark.parametrize("text", OWN)
def test_no_sentence_is_hidden(text: str) -> None:
    assert lost(text, split_text(text).reply) == []


@pytest.mark.parametrize(("subject", "text"), MAILS)
def test_no_sentence_of_a_whole_mail_is_hidden(subject: str, text: str) -> None:
    raw = f"From: anna@example.test\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}".encode()

    assert lost(text, parse(raw).reply_text) == []


@pytest.mark.parametrize(("html", "shown", "hidden"), PROGRAMS)
def test_html_shows_what_the_author_wrote(html: str, shown: list[str], hidden: list[str]) -> None:
    reply = split_lines(html_lines(html)).reply

    assert [part for part in shown if part not in reply] == []
    assert [part for part in hidden if part in reply] == []


@pytest.mark.parametrize("above", ABOVE_QUOTES)
def test_rarer_lines_above_an_older_mail_are_folded_with_it(above: str) -> None:
    assert split_text(f"Yes please, two lamps.\n\n{above}\n\n> Which lamp?\n").reply == "Yes please, two lamps."
