"""How mail programs write the head of a mail that is passed on, by language; the words are those of the programs."""
# ruff: noqa: E501 - one language a line, in its own letters

from collections.abc import Iterator
from dataclasses import dataclass

ANNA = "anna@example.test"
NAME = "Anna Smith"
SUBJECT = "4711 XK"

# language | prefix of Outlook | Outlook: from, sent, to, cc, subject | Apple: line; from, subject, date, to
# | Thunderbird: line; subject, date, from, to | "original message" | webmails' "forwarded message" | a date
_TABLE = """
en|FW|From,Sent,To,Cc,Subject|Begin forwarded message;From,Subject,Date,To|Forwarded Message;Subject,Date,From,To|Original Message|Forwarded message|Tuesday, February 3, 2026 10:15 AM
fr|TR|De ,Envoyé ,À ,Cc ,Objet |Début du message réexpédié ;De,Objet,Date,À|Message transféré;Sujet ,Date ,De ,Pour |Message d'origine|Message transféré|mardi 3 février 2026 10:15
fr-CA|TR|De ,Date ,À ,Cc ,Objet |Début du message transféré ;De,Objet,Date,À|Message transféré;Sujet ,Date ,De ,Pour |Courriel original|Courriel transféré|2026-02-03 10:15
de|WG|Von,Gesendet,An,Cc,Betreff|Anfang der weitergeleiteten Nachricht;Von,Betreff,Datum,An|Weitergeleitete Nachricht;Betreff,Datum,Von,An|Ursprüngliche Nachricht|Weitergeleitete Nachricht|Dienstag, 3. Februar 2026 10:15
de-CH|WG|Von,Datum,An,Cc,Betreff|Anfang der weitergeleiteten E-Mail;Von,Betreff,Datum,An|Weitergeleitete Nachricht;Betreff,Datum,Von,An|Originalnachricht|Weitergeleitete Mail|03.02.2026 10:15
nl|FW|Van,Verzonden,Aan,CC,Onderwerp|Begin doorgestuurd bericht;Van,Onderwerp,Datum,Aan|Doorgestuurd bericht;Onderwerp,Datum,Van,Aan|Oorspronkelijk bericht|Doorgestuurd bericht|dinsdag 3 februari 2026 10:15
es|RV|De,Enviado,Para,CC,Asunto|Inicio del mensaje reenviado;De,Asunto,Fecha,Para|Mensaje reenviado;Asunto,Fecha,De,Para|Mensaje original|Mensaje reenviado|martes, 3 de febrero de 2026 10:15
it|I|Da,Inviato,A,Cc,Oggetto|Inizio messaggio inoltrato;Da,Oggetto,Data,A|Messaggio Inoltrato;Oggetto,Data,Mittente,A|Messaggio originale|Messaggio inoltrato|martedì 3 febbraio 2026 10:15
pt-BR|ENC|De,Enviado,Para,Cc,Assunto|Início da mensagem encaminhada;De,Assunto,Data,Para|Mensagem encaminhada;Assunto,Data,De,Para|Mensagem original|Mensagem encaminhada|terça-feira, 3 de fevereiro de 2026 10:15
pt|FW|De,Enviada,Para,Cc,Assunto|Início da mensagem reencaminhada;De,Assunto,Data,Para|Mensagem reencaminhada;Assunto,Data,De,Para|Mensagem original|Mensagem reencaminhada|3 de fevereiro de 2026 10:15
sv|VB|Från,Skickat,Till,Kopia,Ämne|Vidarebefordrat mejl;Från,Ämne,Datum,Till|Vidarebefordrat meddelande;Ämne,Datum,Från,Till|Ursprungligt meddelande|Vidarebefordrat meddelande|den 3 februari 2026 10:15
da|VS|Fra,Sendt,Til,Cc,Emne|Start på videresendt besked;Fra,Emne,Dato,Til|Videresendt meddelelse;Emne,Dato,Fra,Til|Oprindelig meddelelse|Videresendt besked|3. februar 2026 10:15
no|VS|Fra,Sendt,Til,Kopi,Emne|Videresendt melding;Fra,Emne,Dato,Til|Videresendt melding;Emne,Dato,Fra,Til|Opprinnelig melding|Videresendt e-post|tirsdag 3. februar 2026 10:15
fi|VL|Lähettäjä,Lähetetty,Vastaanottaja,Kopio,Aihe|Välitetty viesti alkaa;Lähettäjä,Aihe,Päivämäärä,Vastaanottaja|Välitetty viesti / Fwd.Msg;Aihe,Päiväys,Lähettäjä,Vastaanottaja|Alkuperäinen viesti|Edelleenlähetetty viesti|tiistai 3. helmikuuta 2026 10.15
pl|PD|Od,Wysłano,Do,DW,Temat|Początek przekazywanej wiadomości;Od,Temat,Data,Do|Treść przekazanej wiadomości;Temat,Data,Nadawca,Adresat|Wiadomość oryginalna|Wiadomość przesłana dalej|wtorek, 3 lutego 2026 10:15
cs|FW|Od,Odesláno,Komu,Kopie,Předmět|Začátek přeposílané zprávy;Od,Předmět,Datum,Komu|Přeposlaná zpráva;Předmět,Datum,Od,Komu|Původní zpráva|Přeposlaný e-mail|úterý 3. února 2026 10:15
sk|FW|Od,Odoslané,Komu,Kópia,Predmet|Začiatok preposlanej správy;Od,Predmet,Dátum,Komu|Preposlaná správa --- Forwarded Message;Predmet,Dátum,Od,Pre|Pôvodná správa|Preposlaný e-mail|utorok 3. februára 2026 10:15
hu|TOVÁBBÍTÁS|Feladó,Elküldve,Címzett,Másolatot kap,Tárgy|Továbbított levél kezdete;Feladó,Tárgy,Dátum,Címzett|Továbbított üzenet;Tárgy,Dátum,Feladó,Címzett|Eredeti üzenet|Továbbított levél|2026. február 3., kedd 10:15
ro|Redirecționat|De la,Expediat,Către,Cc,Subiect|Începe mesajul redirecționat;De la,Subiect,Dată,Către|Mesaj redirecționat;Subiect,Dată,de la,Către|Mesajul original|Mesaj transmis mai departe|3 februarie 2026 10:15
ru|FW|От,Отправлено,Кому,Копия,Тема|Начало переадресованного сообщения;От,Тема,Дата,Кому|Перенаправленное сообщение;Тема,Дата,От,Кому|Исходное сообщение|Пересылаемое сообщение|3 февраля 2026 г. 10:15
uk|Пересл.|Від,Відправлено,Кому,Копія,Тема|Початок листа, що пересилається;Від,Тема,Дата,Кому|Переслане повідомлення;Тема,Дата,Від,Кому|Початкове повідомлення|Переадресоване повідомлення|3 лютого 2026 р. 10:15
tr|İLT|Kimden,Gönderilme,Kime,Bilgi,Konu|İleti başlangıcı;Kimden,Konu,Tarih,Kime|İletilen İleti;Konu,Tarih,Kimden,Kime|Özgün İleti|Yönlendirilmiş mesaj|3 Şubat 2026 Salı 10:15
hr|PR|Šalje,Poslano,Prima,Kopija,Predmet|Započni proslijeđenu poruku;Šalje,Predmet,Datum,Prima|Proslijeđena poruka;Naslov,Datum,Šalje,Prima|Izvorna poruka|Proslijeđena poruka|3. veljače 2026. 10:15
sl|PSL|Od,Poslano,Za,Kp,Zadeva|Začetek posredovanega sporočila;Od,Zadeva,Datum,Za|Posredovano sporočilo;Zadeva,Datum,Od,Za|Izvirno sporočilo|Posredovano sporočilo|torek, 3. februar 2026 10:15
et|Edasi|Saatja,Saadetud,Adressaat,Koopia,Teema|Edastatud kirja algus;Saatja,Teema,Kuupäev,Saaja|Edastatud kiri;Teema,Kuupäev,Saatja,Saaja|Algne kiri|Edastatud kiri|teisipäev, 3. veebruar 2026 10:15
lv|Pārs|No,Nosūtīts,Kam,Kopija,Tēma|Pārsūtītās vēstules sākums;No,Tēma,Datums,Kam|Pārsūtītā vēstule;Temats,Datums,No,Uz|Sākotnējā vēstule|Pārsūtītais ziņojums|otrdiena, 2026. gada 3. februāris 10:15
lt|PERS|Nuo,Išsiųsta,Kam,Kopija,Tema|Persiunčiamo laiško pradžia;Nuo,Tema,Data,Kam|Persiųstas laiškas;Tema,Data,Kas,Kam|Originalus laiškas|Persiųstas pranešimas|2026 m. vasario 3 d. 10:15
el|ΠΡΘ|Από,Στάλθηκε,Προς,Κοιν.,Θέμα|Έναρξη προωθημένου μηνύματος;Από,Θέμα,Ημερομηνία,Προς|Προωθημένο μήνυμα;Θέμα,Ημερομηνία,Από,Προς|Αρχικό μήνυμα|Προωθημένο μήνυμα|Τρίτη, 3 Φεβρουαρίου 2026 10:15
ja|FW|差出人,送信日時,宛先,CC,件名|転送されたメッセージ;差出人,件名,日付,宛先|Forwarded Message;件名,日付,差出人,宛先|元のメッセージ|転送メッセージ|2026年2月3日 10:15
zh-CN|转发|发件人,发送时间,收件人,抄送,主题|开始转发的邮件;发件人,主题,日期,收件人|转发的消息;主题,日期,发件人,收件人|原始邮件|转发邮件信息|2026年2月3日 10:15
zh-TW|轉寄|寄件者,寄件日期,收件者,副本,主旨|開始轉寄郵件;寄件人,主旨,日期,收件人|轉寄郵件;主旨,日期,從,到|原始郵件|轉寄的郵件|2026年2月3日 10:15
ko|전달|보낸 사람,보낸 날짜,받는 사람,참조,제목|전달된 메시지;보낸 사람,제목,날짜,받는 사람|전달된 메시지;제목,날짜,보낸 사람,받는 사람|원본 메시지|전달된 메일|2026년 2월 3일 10:15
vi|Chuyển tiếp|Từ,Đã gửi,Đến,Cc,Chủ đề|Bắt đầu thư được chuyển tiếp;Từ,Chủ đề,Ngày,Đến|Tin nhắn đã được chuyển tiếp;Tiêu đề,Ngày,Từ,Tới|Thư gốc|Thư đã chuyển tiếp|03 Tháng Hai 2026 10:15
ar|إعادة توجيه|من,تم الإرسال,إلى,نسخة,الموضوع|بدء الرسالة المعاد توجيهها;من,الموضوع,التاريخ,إلى|رسالة ممرّرة;الموضوع,التاريخ,مِن,إلى|الرسالة الأصلية|رسالة معاد توجيهها|3 فبراير 2026 10:15
he|הועבר|מאת,נשלח,אל,עותק,נושא|תחילת ההודעה שהועברה;מאת,נושא,תאריך,אל|הודעה שהועברה;נושא,תאריך,מאת,אל|הודעה מקורית|הודעה שהועברה|3 בפברואר 2026 10:15
"""


@dataclass(frozen=True)
class Words:
    """What the programs of one language write."""

    language: str
    prefix: str
    outlook: list[str]
    apple_line: str
    apple: list[str]
    thunderbird_line: str
    thunderbird: list[str]
    original: str
    forwarded: str
    date: str


def languages() -> list[Words]:
    """The table, one entry a language."""
    out: list[Words] = []
    for line in _TABLE.strip().splitlines():
        language, prefix, outlook, apple, bird, original, forwarded, date = line.split("|")
        apple_line, apple_words = apple.split(";")
        bird_line, bird_words = bird.split(";")
        out.append(
            Words(
                language, prefix, outlook.split(","), apple_line, apple_words.split(","),
                bird_line, bird_words.split(","), original, forwarded, date,
            )
        )  # fmt: skip
    return out


def texts(words: Words) -> Iterator[tuple[str, str, str]]:
    """(program, subject, the lines above the older mail) for every program that a language's people use."""
    sender, formal = f"{NAME} <{ANNA}>", "Tue, 3 Feb 2026 10:15:00 +0100"
    of, sent, to, cc, about = words.outlook
    rest = f"{sent}: {words.date}\n{to}: Lan <lan@shop.test>\n{cc}: Minh <minh@shop.test>\n{about}: {SUBJECT}"
    block = f"{of}: {sender}\n{rest}"
    fw, fwd = f"{words.prefix}: {SUBJECT}", f"Fwd: {SUBJECT}"
    yield "outlook", fw, block
    yield "outlook, original", fw, f"-----{words.original}-----\n{of}: {NAME} [mailto:{ANNA}] \n{rest}"
    yield "outlook, rule", fw, f"{'_' * 32}\n{of}: {NAME} <{ANNA}<mailto:{ANNA}>>\n{rest}"
    yield "outlook, bold", fw, "\n".join(f"*{line.replace(':', ':*', 1)}" for line in block.split("\n"))
    yield "outlook, own subject", "See below", block
    yield "outlook, name twice", fw, f"{of}: {ANNA} <{ANNA}>\n{rest}"
    of, about, date, to = words.apple
    rest = f"{about}: {SUBJECT}\n{date}: {words.date}\n{to}: Lan <lan@shop.test>"
    yield "apple", fwd, f"{words.apple_line}:\n\n{of}: {sender}\n{rest}\n"
    yield (
        "apple, quoted",
        fwd,
        "\n".join(f"> {line}" for line in f"{words.apple_line}:\n\n{of}: {sender}\n{rest}\n".split("\n")),
    )
    yield "apple, own subject", "See below", f"{words.apple_line}:\n\n{of}: {sender}\n{rest}\n"
    about, date, of, to = words.thunderbird
    block = f"{about}: \t{SUBJECT}\n{date}: \t{formal}\n{of}: \t{sender}\n{to}: \tlan@shop.test"
    yield "thunderbird", fwd, f"-------- {words.thunderbird_line} --------\n{block}"
    yield "thunderbird, own subject", "See below", f"-------- {words.thunderbird_line} --------\n{block}"
    of, sent, to, cc, about = words.outlook
    gmail = f"{of}: {NAME} <{ANNA}>\nDate: {words.date}\nSubject: {SUBJECT}\nTo: <lan@shop.test>"
    yield "gmail", fwd, f"---------- Forwarded message ---------\n{gmail}"
    yield "gmail, translated", fwd, f"---------- {words.forwarded} ---------\n{gmail}"
    yield (
        "yahoo",
        fwd,
        f'----- {words.forwarded} -----\n{of}: {sender}\n{to}: "lan@shop.test" <lan@shop.test>\n{sent}: {words.date}\n{about}: {SUBJECT}',
    )
    yield (
        "samsung",
        fwd,
        f"-------- {words.original} --------\n{of}: {sender} \n{words.apple[2]}: {words.date} (GMT+01:00) \n{to}: lan@shop.test \n{about}: {SUBJECT} ",
    )
    yield (
        "hubspot",
        fwd,
        f"---------- {words.forwarded} ----------\n{of}: {NAME} ({ANNA})\n{words.apple[2]}: {words.date}\n{about}: {SUBJECT}\n{to}: lan@shop.test",
    )
    yield (
        "ionos",
        fwd,
        "\n".join(
            f"> {line}"
            for line in f"---------- {words.original} ----------\n{of}: {sender}\n{to}: lan@shop.test\n{words.apple[2]}: {words.date}\n{about}: {SUBJECT}".split(
                "\n"
            )
        ),
    )
    yield (
        "roundcube",
        fwd,
        f"-------- {words.original} --------\n{about}: {SUBJECT}\n{words.apple[2]}: 2026-02-03 10:15\n{of}: {sender}\n{to}: lan@shop.test",
    )


def english_only() -> Iterator[tuple[str, str, str]]:
    """Programs that write English whatever the language, and forms of their own."""
    sender = f"{NAME} <{ANNA}>"
    block = f"From: {sender}\nTo: <lan@shop.test>\nDate: Tue, 03 Feb 2026 10:15:00 +0100\nSubject: {SUBJECT}"
    fwd = f"Fwd: {SUBJECT}"
    yield (
        "zoho",
        fwd,
        f"============ Forwarded message ============\n{block}\n============ Forwarded message ============",
    )
    yield (
        "protonmail",
        fwd,
        f"------- Original Message -------\nFrom: {sender}\nDate: On Tuesday, February 3rd, 2026 at 10:15 AM\nSubject: {SUBJECT}\nTo: Lan <lan@shop.test>",
    )
    yield (
        "proton, forwarded",
        fwd,
        f"------- Forwarded Message -------\nFrom: {sender}\nDate: On Tuesday, 3 February 2026 at 10:15\nSubject: {SUBJECT}\nTo: Lan <lan@shop.test>",
    )
    yield (
        "missive",
        fwd,
        f"---------- Forwarded message ----------\nFrom: {sender}\nDate: February 3, 2026, 10:15 AM UTC+1\nSubject: {SUBJECT}\nTo: lan@shop.test",
    )
    yield (
        "zimbra",
        fwd,
        f'----- Forwarded Message -----\nFrom: "{NAME}" <{ANNA}>\nTo: "Lan" <lan@shop.test>\nSent: Tuesday, February 3, 2026 10:15:00 AM\nSubject: {SUBJECT}',
    )
    yield (
        "mutt",
        fwd,
        f"----- Forwarded message from {sender} -----\n\nDate: Tue, 3 Feb 2026 10:15:00 +0100\nFrom: {sender}\nTo: lan@shop.test\nSubject: {SUBJECT}",
    )
    yield (
        "notes",
        fwd,
        f"----- Forwarded by Lan/Shop on 02/03/2026 10:15 AM -----\n\nFrom:\t{sender}\nTo:\tlan@shop.test\nDate:\t02/03/2026 10:15 AM\nSubject:\t{SUBJECT}",
    )
    yield (
        "em client",
        fwd,
        f'------ Forwarded message ------\nFrom: "{NAME}" <{ANNA}>\nTo: lan@shop.test\nDate: 03.02.2026 10:15:00\nSubject: {SUBJECT}',
    )
    yield "yandex", fwd, f'-------- Forwarded message --------\n03.02.2026, 10:15, "{NAME}" <{ANNA}>:'
    yield "yandex, russian", fwd, f'-------- Пересылаемое сообщение --------\n03.02.2026, 10:15, "{NAME}" <{ANNA}>:'
    yield (
        "mail.ru",
        fwd,
        f"-------- Пересылаемое сообщение --------\nОт кого: {sender}\nКому: lan@shop.test\nДата: Вторник, 3 февраля 2026, 10:15 +03:00\nТема: {SUBJECT}",
    )
    yield (
        "gmx",
        fwd,
        f'Gesendet: Dienstag, 03. Februar 2026 um 10:15 Uhr\nVon: "{NAME}" <{ANNA}>\nAn: lan@shop.test\nBetreff: {SUBJECT}',
    )
    yield (
        "orange",
        f"TR: {SUBJECT}",
        f'> Message du 03/02/26 10:15\n> Date : 03/02/2026 10:15\n> De : "{NAME}" <{ANNA}>\n> A : lan@shop.test\n> Copie à : \n> Objet : {SUBJECT}',
    )
    yield (
        "spark",
        fwd,
        f"---------- Forwarded message ----------\nFrom: {sender}\nDate: 3 Feb 2026, 10:15 +0100\nTo: lan@shop.test\nSubject: {SUBJECT}",
    )
    yield (
        "values below",
        fwd,
        f"---------- Forwarded message ----------\nFrom:\n{sender}\nDate:\n3 Feb 2026, 10:15 +0100\nSubject:\n{SUBJECT}\nTo:\nlan@shop.test",
    )
    yield (
        "address wraps",
        fwd,
        f"---------- Forwarded message ----------\nFrom: {NAME}\n <{ANNA}>\nDate: 3 Feb 2026, 10:15\nSubject: {SUBJECT}\nTo: lan@shop.test",
    )
    yield (
        "no name",
        fwd,
        f"---------- Forwarded message ----------\nFrom: <{ANNA}>\nDate: 3 Feb 2026, 10:15\nSubject: {SUBJECT}\nTo: lan@shop.test",
    )
    yield (
        "long text above",
        fwd,
        "A sentence for the agents.\n" * 40 + f"\n---------- Forwarded message ----------\n{block}",
    )


def html_of(program: str, text: str) -> str:
    """The block as HTML mail programs write it: a table (Thunderbird), bold labels (Outlook), lines (others)."""
    lines = [line.removeprefix("> ").replace("<", "&lt;").replace(">", "&gt;") for line in text.split("\n")]
    if program == "thunderbird":
        rows = "".join(
            f'<tr><th nowrap valign="BASELINE" align="RIGHT">{label}:</th><td>{value.strip()}</td></tr>'
            for label, _, value in (line.partition(":") for line in lines[1:])
        )
        return f'<div class="moz-forward-container"><br>{lines[0]}<table class="moz-email-headers-table" border="0"><tbody>{rows}</tbody></table><br></div>'
    if program == "outlook":
        body = "<br>\n".join(f"<b>{label}:</b>{value}" for label, _, value in (line.partition(":") for line in lines))
        return f'<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{body}</p></div>'
    if program == "apple":
        body = "".join(
            f'<div style="margin: 0px;"><span style="color:#7f7f7f"><b>{label}: </b></span><span>{value}<br></span></div>'
            for label, _, value in (line.partition(":") for line in lines[2:] if line)
        )
        return f'<blockquote type="cite"><div>{lines[0]}</div><br class="Apple-interchange-newline">{body}</blockquote>'
    return f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{"<br>".join(lines)}<br></div></div>'
