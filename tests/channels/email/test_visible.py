"""What the author wrote stays visible; what is older or a signature is marked, in the languages people write."""
# ruff: noqa: E501 - the material stands on one line each, as it would come

import pytest

from channels.email.htmltext import html_lines
from channels.email.visible import split_lines, split_text

OWN = "Vâng, cảm ơn bạn.\nLúc 3 giờ được không?"

ATTRIBUTIONS = [
    "On Mon, Feb 1, 2016 at 4:58 AM, Some One <foo@bar.test> wrote:",
    "On 3 March 2026 at 10:15, Anna Smith <anna@example.test> wrote:",
    "On 2026-03-03 10:15, Anna Smith wrote:",
    "On Tue, Mar 3, 2026, 10:15 AM Anna Smith via Shop <anna@example.test>\nwrote:",
    "Anna Smith wrote on 03/02/2026 10:15:00 AM:",
    "среда, 3 февраля 2026 г., 10:15 +03:00 от Анна <anna@example.test>:",
    "Am 03.02.2016 um 15:35 schrieb Max Mustermann <max@example.test>:",
    "Am Mo., 3. Feb. 2026 um 15:35 Uhr schrieb Max Mustermann <\nmax@example.test>:",
    "Max Mustermann <max@example.test> schrieb am Di., 16. Aug. 2016 um 12:52 Uhr:",
    "Le mar. 3 févr. 2026 à 10:15, Jean Dupont <jean@example.test> a écrit :",
    "Le 03/02/2026 à 10:15, Jean Dupont a écrit :",
    "El mar, 3 feb 2026 a las 10:15, Ana (<ana@example.test>) escribió:",
    "El 3/2/26 a las 10:15, Ana escribió:",
    "Em ter., 3 de fev. de 2026 às 10:15, Ana <ana@example.test> escreveu:",
    "Il giorno mar 3 feb 2026 alle ore 10:15 Anna <anna@example.test> ha scritto:",
    "Il 03/02/2026 10:15, Anna ha scritto:",
    "Op di 3 feb 2026 om 10:15 schreef Jan <jan@example.test>:",
    "Op 3 feb. 2026 om 10:15 heeft Jan <jan@example.test> het volgende geschreven:",
    "Den tis 3 feb. 2026 kl 10:15 skrev Anna <anna@example.test>:",
    "Den tir. 3. feb. 2026 kl. 10.15 skrev Anna <anna@example.test>:",
    "tir. 3. feb. 2026 kl. 10:15 skrev Anna <anna@example.test>:",
    "ti 3. helmik. 2026 klo 10.15 Anna (anna@example.test) kirjoitti:",
    "wt., 3 lut 2026 o 10:15 Anna <anna@example.test> napisał(a):",
    "W dniu 03.02.2026 o 10:15, Anna pisze:",
    "út 3. 2. 2026 v 10:15 odesílatel Anna <anna@example.test> napsal:",
    "Dne 3. 2. 2026 v 10:15 Anna napsal(a):",
    "вт, 3 февр. 2026 г. в 10:15, Анна <anna@example.test>:",
    "3 февраля 2026 г., 10:15 пользователь Анна <anna@example.test> написал:",
    "вт, 3 лют. 2026 р. о 10:15 Анна <anna@example.test> пише:",
    "Anna <anna@example.test>, 3 Şub 2026 Sal, 10:15 tarihinde şunu yazdı:",
    "Στις Τρί 3 Φεβ 2026 στις 10:15 π.μ., ο/η Anna <anna@example.test> έγραψε:",
    "În mar., 3 feb. 2026 la 10:15, Anna <anna@example.test> a scris:",
    "Anna <anna@example.test> ezt írta (időpont: 2026. febr. 3., K, 10:15):",
    "Vào Th 3, 3 thg 2, 2026 vào lúc 10:15 Anna <anna@example.test> đã viết:",
    "Vào 10:15, Th 3, 3 thg 2, 2026 Anna <anna@example.test> đã viết:",
    "Ngày 03/02/2026 10:15, Anna đã viết:",
    "Vào ngày 3 tháng 2 năm 2026 lúc 10:15, Anna <anna@example.test> viết:",
    "2026年2月3日(火) 10:15 Anna <anna@example.test>:",
    "2026/02/03 10:15、Anna <anna@example.test>のメール:",
    "Anna <anna@example.test> 于2026年2月3日周二 10:15写道：",
    "在 2026年2月3日，上午10:15，Anna <anna@example.test> 写道：",
    "2026년 2월 3일 (화) 오전 10:15, Anna <anna@example.test>님이 작성:",
    "Pada Sel, 3 Feb 2026 pukul 10.15 Anna <anna@example.test> menulis:",
    "ב-3 בפבר׳ 2026 בשעה 10:15, ‏Anna ‏<anna@example.test> כתב/ה:",
    "---- On Tue, 03 Feb 2026 10:15:00 +0700 Anna <anna@example.test> wrote ----",
]

HEADS = [
    "From: Anna Smith\nSent: Tuesday, February 3, 2026 10:15 AM\nTo: Shop\nSubject: Lamp",
    "*From:* Anna\n*Date:* Tue, 3 Feb 2026\n*To:* Shop\n*Subject:* Lamp",
    "Von: Anna Smith\nGesendet: Dienstag, 3. Februar 2026 10:15\nAn: Shop\nBetreff: Lampe",
    "De : Anna Smith\nEnvoyé : mardi 3 février 2026 10:15\nÀ : Shop\nObjet : Lampe",
    "De: Ana\nEnviado: martes, 3 de febrero de 2026 10:15\nPara: Tienda\nAsunto: Lámpara",
    "De: Ana\nEnviada em: terça-feira, 3 de fevereiro de 2026 10:15\nPara: Loja\nAssunto: Luz",
    "Da: Anna\nInviato: martedì 3 febbraio 2026 10:15\nA: Negozio\nOggetto: Lampada",
    "Van: Jan\nVerzonden: dinsdag 3 februari 2026 10:15\nAan: Winkel\nOnderwerp: Lamp",
    "Från: Anna\nSkickat: den 3 februari 2026 10:15\nTill: Butik\nÄmne: Lampa",
    "Fra: Anna\nSendt: tirsdag 3. februar 2026 10:15\nTil: Butik\nEmne: Lampe",
    "Lähettäjä: Anna\nLähetetty: tiistai 3. helmikuuta 2026 10.15\nVastaanottaja: Kauppa\nAihe: Lamppu",
    "Od: Anna\nWysłano: wtorek, 3 lutego 2026 10:15\nDo: Sklep\nTemat: Lampa",
    "Od: Anna\nOdesláno: úterý 3. února 2026 10:15\nKomu: Obchod\nPředmět: Lampa",
    "От: Анна\nОтправлено: 3 февраля 2026 г. 10:15\nКому: Магазин\nТема: Лампа",
    "Kimden: Anna\nGönderilen: 3 Şubat 2026 Salı 10:15\nKime: Dükkan\nKonu: Lamba",
    "Từ: Anna\nĐã gửi: Thứ Ba, 3 tháng 2, 2026 10:15\nĐến: Cửa hàng\nChủ đề: Đèn",
    "发件人: Anna\n发送时间: 2026年2月3日 10:15\n收件人: 商店\n主题: 灯",
    "差出人: Anna\n送信日時: 2026年2月3日 10:15\n宛先: 店\n件名: ランプ",
    "보낸 사람: Anna\n보낸 날짜: 2026년 2월 3일 10:15\n받는 사람: 가게\n제목: 램프",
    "-----Original Message-----\nFrom: Anna\nTo: Shop",
    "-------- Original Message --------\nSubject: Lamp",
    "-----Ursprüngliche Nachricht-----\nVon: Anna",
    "-----Message d'origine-----\nDe : Anna",
    "________________________________\nFrom: Anna\nSent: Monday\nTo: Shop\nSubject: Lamp",
    "----- Thư gốc -----\nTừ: Anna",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quoted", ["> What about the lamp?\n> It is broken.", "What about the lamp?\nIt is broken."])
def test_an_answer_on_top_is_all_that_shows(attribution: str, quoted: str) -> None:
    found = split_text(f"{OWN}\n\n{attribution}\n\n{quoted}\n")

    assert found.reply == OWN
    assert "What about the lamp?" in found.quoted


@pytest.mark.parametrize("head", HEADS)
def test_a_header_block_opens_the_older_mail(head: str) -> None:
    found = split_text(f"{OWN}\n\n{head}\n\nWhat about the lamp?\n")

    assert found.reply == OWN
    assert "What about the lamp?" in found.quoted


@pytest.mark.parametrize(
    "text",
    [
        "On Monday we wrote:\nplease pay by Friday\nand nobody answered.",
        "On 3 March 2026 at 10:15 I wrote:\nplease cancel my order.",
        "Am 3. März 2026 um 10:15 schrieb ich:\nbitte stornieren Sie.",
        "Ngày 03/02/2026 lúc 10:15 tôi đã viết:\nxin hủy đơn hàng.",
        "Le 3 mars 2026 à 10:15 nous avons écrit :\nmerci d'annuler.",
        "From: Hanoi\nI want to travel to Hue.",
        "To: be or not to be.\nSubject: to change.",
        "My address is\n\n--- House 3 ---\n\nand my phone is 0912 345 678.",
        "First point\n----------\nSecond point\n----------\nThird point",
        "The error says: <b>\n> is not a quote\nand I wonder why.",
        "Dear team,\n\nthe price is 3 > 2, or is it?\n\nThanks\nAnna",
        "From: Hanoi\nTo: Hue\nDate: Monday at 10:15\nPlease book two seats.",
        "mysql> select 1;\nmysql> quit\nmysql> help",
        "Date: 3 March\nTime: 10:15\nPlace: Hanoi\nPlease confirm.",
    ],
)
def test_the_authors_own_words_are_never_hidden(text: str) -> None:
    found = split_text(text)

    assert [line for line in text.splitlines() if line.strip() and line not in found.reply] == []


@pytest.mark.parametrize("blank", ["\u2003", "\u3000", "\u200b", "\x85", "\u2028", "\ufeff \u2003"])
def test_lines_of_unusual_blanks_are_empty(blank: str) -> None:
    assert split_text(f"Yes.\n{blank}\n: no\n{blank}").reply == f"Yes.\n{blank.rstrip()}\n: no"


def test_inline_answers_keep_the_question_beside_them() -> None:
    text = (
        "See below.\n\nOn Mon, Feb 1, 2016 at 4:58 AM, Some One <foo@bar.test> wrote:\n\n"
        "> Which colour?\n\nRed.\n\n> How many?\n\nTwo, please.\n\n> Thanks\n> Some One\n"
    )

    found = split_text(text)

    assert found.reply == "See below.\n\n\n> Which colour?\n\nRed.\n\n> How many?\n\nTwo, please."
    assert found.quoted.startswith("On Mon, Feb 1")


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAnna Smith\nShop Ltd\n+84 912 345 678",
        "--\nAnna Smith",
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Gửi từ iPhone của tôi",
        "Đã gửi từ điện thoại Samsung",
        "Отправлено с iPhone",
        "发自我的iPhone",
        "iPhoneから送信",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Sent from Yahoo Mail on Android",
        "Sent from Mail<https://go.microsoft.com/fwlink/?LinkId=550986> for Windows 10",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent with AquaMail for Android\nhttps://www.aqua-mail.test",
        "Diese Nachricht wurde von meinem Android-Mobiltelefon mit K-9 Mail gesendet.",
    ],
)
def test_a_signature_is_folded(signature: str) -> None:
    found = split_text(f"{OWN}\n\n{signature}\n")

    assert found.reply == OWN
    assert signature.splitlines()[-1] in found.quoted


@pytest.mark.parametrize(
    ("html", "reply"),
    [
        (
            '<div dir="ltr">Yes.</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Anna wrote:<br></div>'
            '<blockquote class="gmail_quote">Really?</blockquote></div>',
            "Yes.",
        ),
        (
            "<div>Yes.</div><hr><div id='divRplyFwdMsg'><b>From:</b> Anna<br><b>Sent:</b> Monday</div><div>Really?</div>",
            "Yes.",
        ),
        (
            "<p class=MsoNormal>Yes.</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
            "<p class=MsoNormal><b>From:</b> Anna</p></div><p class=MsoNormal>Really?</p>",
            "Yes.",
        ),
        (
            '<p>Yes.</p><div class="moz-cite-prefix">Anna said:</div><blockquote type="cite">Really?</blockquote>',
            "Yes.",
        ),
        ('Yes.<div class="yahoo_quoted"><div>On Monday, Anna:</div><div>Really?</div></div>', "Yes."),
        ('<div>Yes.</div><blockquote class="protonmail_quote" type="cite">Really?</blockquote>', "Yes."),
        (
            '<blockquote type="cite">One?</blockquote><div>Yes.</div><blockquote type="cite">Two?</blockquote>'
            "<div>No.</div>",
            "Yes.\n\n> Two?\n\nNo.",
        ),
        ('<div>Yes.</div><div class="gmail_signature">Anna<br>Shop</div>', "Yes."),
        (
            '<blockquote style="margin:0 0 0 40px;border:none;padding:0px">An indent of my own.</blockquote>',
            "An indent of my own.",
        ),
    ],
)
def test_the_marks_of_mail_programs_are_believed(html: str, reply: str) -> None:
    assert split_lines(html_lines(html)).reply == reply
