"""Who wrote the mail that somebody passed on, in the forms of the usual programs and in many languages."""
# ruff: noqa: E501 - the material stands on one line each, as it would come

import pytest

from channels.email.parse import parse
from channels.email.parsed import Forwarded
from tests.channels.email.forward_forms import NAME, SUBJECT, Words, english_only, html_of, languages, texts

ANNA = "anna@example.test"

# (subject, marker and header block as the program writes them)
TEXTS = [
    # Gmail
    ("Fwd: Lamp", f"---------- Forwarded message ---------\nFrom: Anna Smith <{ANNA}>\nDate: Tue, 3 Feb 2026 at 10:15\nSubject: Lamp\nTo: <lan@shop.test>"),
    ("Fwd: Lampe", f"---------- Forwarded message ---------\nVon: Anna Smith <{ANNA}>\nDate: Di., 3. Feb. 2026 um 10:15 Uhr\nSubject: Lampe\nTo: <lan@shop.test>"),
    ("Fwd: Lampe", f"---------- Forwarded message ---------\nDe : Anna Smith <{ANNA}>\nDate: mar. 3 févr. 2026 à 10:15\nSubject: Lampe\nTo: <lan@shop.test>"),
    # Outlook
    ("FW: Lamp", f"From: Anna Smith <{ANNA}>\nSent: Tuesday, February 3, 2026 10:15 AM\nTo: Lan <lan@shop.test>\nSubject: Lamp"),
    ("FW: Lamp", f"-----Original Message-----\nFrom: Anna Smith [mailto:{ANNA}]\nSent: Tuesday, February 3, 2026 10:15 AM\nTo: Lan\nSubject: Lamp"),
    ("FW: Lamp", f"________________________________\nFrom: Anna Smith <{ANNA}<mailto:{ANNA}>>\nSent: Tuesday, February 3, 2026 10:15:00 AM\nTo: Lan <lan@shop.test>\nSubject: Lamp"),
    ("WG: Lampe", f"Von: Anna Smith <{ANNA}>\nGesendet: Dienstag, 3. Februar 2026 10:15\nAn: Lan <lan@shop.test>\nBetreff: Lampe"),
    ("WG: Lampe", f"-----Ursprüngliche Nachricht-----\nVon: Anna Smith [mailto:{ANNA}]\nGesendet: Dienstag, 3. Februar 2026 10:15\nAn: Lan\nBetreff: Lampe"),
    ("TR: Lampe", f"De : Anna Smith <{ANNA}>\nEnvoyé : mardi 3 février 2026 10:15\nÀ : Lan <lan@shop.test>\nObjet : Lampe"),
    ("TR : Lampe", f"-----Message d'origine-----\nDe : Anna Smith [mailto:{ANNA}]\nEnvoyé : mardi 3 février 2026 10:15\nÀ : Lan\nObjet : Lampe"),
    # Apple Mail
    ("Fwd: Lamp", f"Begin forwarded message:\n\nFrom: Anna Smith <{ANNA}>\nSubject: Lamp\nDate: 3 February 2026 at 10:15:00 CET\nTo: Lan <lan@shop.test>"),
    ("Fwd: Lamp", f"Begin forwarded message:\n\n> From: Anna Smith <{ANNA}>\n> Subject: Lamp\n> Date: 3 February 2026 at 10:15:00 CET\n> To: Lan <lan@shop.test>"),
    ("Fwd: Lampe", f"Anfang der weitergeleiteten Nachricht:\n\nVon: Anna Smith <{ANNA}>\nBetreff: Lampe\nDatum: 3. Februar 2026 um 10:15:00 MEZ\nAn: Lan <lan@shop.test>"),
    ("Fwd: Lampe", f"Début du message réexpédié :\n\nDe: Anna Smith <{ANNA}>\nObjet: Lampe\nDate: 3 février 2026 à 10:15:00 UTC+1\nÀ: Lan <lan@shop.test>"),
    # Thunderbird
    ("Fwd: Lamp", f"-------- Forwarded Message --------\nSubject: \tLamp\nDate: \tTue, 3 Feb 2026 10:15:00 +0000\nFrom: \tAnna Smith <{ANNA}>\nTo: \tlan@shop.test"),
    ("Fwd: Lampe", f"-------- Weitergeleitete Nachricht --------\nBetreff: \tLampe\nDatum: \tTue, 3 Feb 2026 10:15:00 +0000\nVon: \tAnna Smith <{ANNA}>\nAn: \tlan@shop.test"),
    ("Fwd: Lampe", f"-------- Message transféré --------\nSujet : \tLampe\nDate : \tTue, 3 Feb 2026 10:15:00 +0000\nDe : \tAnna Smith <{ANNA}>\nPour : \tlan@shop.test"),
    # Others
    ("Fwd: Lamp", f"----- Forwarded Message -----\nFrom: Anna Smith <{ANNA}>\nTo: \"lan@shop.test\" <lan@shop.test>\nSent: Tuesday, 3 February 2026 at 10:15:00 GMT\nSubject: Lamp"),
    ("Fw: Lamp", f"------- Original Message -------\nFrom: Anna Smith <{ANNA}>\nDate: On Tuesday, February 3rd, 2026 at 10:15 AM\nSubject: Lamp\nTo: Lan <lan@shop.test>"),
]  # fmt: skip

ELSEWHERE = [
    ("RV: Luz", f"De: Ana <{ANNA}>\nEnviado: martes, 3 de febrero de 2026 10:15\nPara: Lan <lan@shop.test>\nAsunto: Luz"),
    ("Fwd: Luz", f"---------- Forwarded message ---------\nDe: Ana <{ANNA}>\nDate: mar, 3 feb 2026 a las 10:15\nSubject: Luz\nTo: <lan@shop.test>"),
    ("ENC: Luz", f"De: Ana <{ANNA}>\nEnviada em: terça-feira, 3 de fevereiro de 2026 10:15\nPara: Lan\nAssunto: Luz"),
    ("I: Luce", f"Da: Anna <{ANNA}>\nInviato: martedì 3 febbraio 2026 10:15\nA: Lan\nOggetto: Luce"),
    ("Fwd: Luce", f"Inizio messaggio inoltrato:\n\nDa: Anna <{ANNA}>\nOggetto: Luce\nData: 3 febbraio 2026 alle ore 10:15:00 CET\nA: Lan <lan@shop.test>"),
    ("FW: Lamp", f"Van: Jan <{ANNA}>\nVerzonden: dinsdag 3 februari 2026 10:15\nAan: Lan\nOnderwerp: Lamp"),
    ("VB: Lampa", f"Från: Anna <{ANNA}>\nSkickat: den 3 februari 2026 10:15\nTill: Lan\nÄmne: Lampa"),
    ("VS: Lampe", f"-------- Videresendt melding --------\nFra: Anna <{ANNA}>\nSendt: tirsdag 3. februar 2026 10:15\nTil: Lan\nEmne: Lampe"),
    ("VS: Lampe", f"Fra: Anna <{ANNA}>\nSendt: tirsdag 3. februar 2026 10:15\nTil: Lan\nEmne: Lampe"),
    ("Fwd: Lampa", f"Începutul mesajului redirecționat:\n\nDe la: Anna <{ANNA}>\nSubiect: Lampa\nDată: 3 februarie 2026 la 10:15:00 EET\nCătre: Lan <lan@shop.test>"),
    ("Fwd: Lampa", f"Započni proslijeđenu poruku:\n\nŠalje: Anna <{ANNA}>\nPredmet: Lampa\nDatum: 3. veljače 2026. u 10:15:00 CET\nPrima: Lan <lan@shop.test>"),
    ("Fwd: Lámpa", f"Továbbított levél kezdete:\n\nFeladó: Anna <{ANNA}>\nTárgy: Lámpa\nDátum: 2026. február 3. 10:15:00 CET\nCímzett: Lan <lan@shop.test>"),
    ("Fwd: Lampa", f"-------- Treść przekazanej wiadomości --------\nTemat: \tLampa\nData: \tTue, 3 Feb 2026 10:15:00 +0000\nNadawca: \tAnna <{ANNA}>\nAdresat: \tlan@shop.test"),
    ("Fwd: Lampa", f"Začiatok preposlanej správy:\n\nOd: Anna <{ANNA}>\nPredmet: Lampa\nDátum: 3. februára 2026 10:15:00 SEČ\nKomu: Lan <lan@shop.test>"),
    ("Fwd: Lampa", f"Vidarebefordrat mejl:\n\nFrån: Anna <{ANNA}>\nÄmne: Lampa\nDatum: 3 februari 2026 10:15:00 CET\nTill: Lan <lan@shop.test>"),
    ("Fwd: Лампа", f"Початок листа, що пересилається:\n\nВід: Анна <{ANNA}>\nТема: Лампа\nДата: 3 лютого 2026 р. о 10:15:00 EET\nКому: Lan <lan@shop.test>"),
    ("VL: Lamppu", f"Lähettäjä: Anna <{ANNA}>\nLähetetty: tiistai 3. helmikuuta 2026 10.15\nVastaanottaja: Lan\nAihe: Lamppu"),
    ("PD: Lampa", f"Od: Anna <{ANNA}>\nWysłano: wtorek, 3 lutego 2026 10:15\nDo: Lan\nTemat: Lampa"),
    ("Fwd: Lampa", f"---------- Přeposlaná zpráva ----------\nOd: Anna <{ANNA}>\nDatum: 3. 2. 2026 10:15\nKomu: Lan\nPředmět: Lampa"),
    ("Fwd: Лампа", f"---------- Пересылаемое сообщение ----------\nОт: Анна <{ANNA}>\nДата: 3 февраля 2026 г. 10:15\nКому: Lan\nТема: Лампа"),
    ("İLT: Lamba", f"Kimden: Anna <{ANNA}>\nGönderildi: 3 Şubat 2026 Salı 10:15\nKime: Lan\nKonu: Lamba"),
    ("Chuyển tiếp: Đèn", f"---------- Thư được chuyển tiếp ----------\nTừ: Anna <{ANNA}>\nNgày: 3 tháng 2, 2026 10:15\nĐến: Lan\nChủ đề: Đèn"),
    ("Fwd: Đèn", f"---------- Forwarded message ---------\nTừ: Anna <{ANNA}>\nDate: Th 3, 3 thg 2, 2026 vào lúc 10:15\nSubject: Đèn\nTo: <lan@shop.test>"),
    ("转发: 灯", f"-----原始邮件-----\n发件人: 安娜 <{ANNA}>\n发送时间: 2026年2月3日 10:15\n收件人: Lan\n主题: 灯"),
    ("転送: ランプ", f"---------- 転送されたメッセージ ----------\n差出人: Anna <{ANNA}>\n日時: 2026年2月3日 10:15\n宛先: Lan\n件名: ランプ"),
    ("전달: 램프", f"-----원본 메시지-----\n보낸 사람: Anna <{ANNA}>\n보낸 날짜: 2026년 2월 3일 10:15\n받는 사람: Lan\n제목: 램프"),
]  # fmt: skip


def mail(subject: str, body: str, *, html: bool = False) -> bytes:
    kind = "html" if html else "plain"
    head = f"From: Lan <lan@shop.test>\nTo: support@shop.test\nSubject: {subject}\nContent-Type: text/{kind}; charset=utf-8\n\n"
    return f"{head}{body}".encode()


@pytest.mark.parametrize(("subject", "block"), TEXTS + ELSEWHERE)
def test_the_original_sender_and_day_are_found(subject: str, block: str) -> None:
    found = parse(mail(subject, f"Can you take this?\n\n{block}\n\nThe lamp is broken.\n")).forwarded

    assert found is not None
    assert found.sender.address == ANNA
    assert found.sender.name in ("Anna Smith", "Anna", "Ana", "Jan", "Анна", "安娜")
    assert found.date is not None
    assert found.date.strftime("%Y-%m-%d") == "2026-02-03"
    assert found.subject == subject.split(":", 1)[1].strip() or found.subject in ("Lampe", "Lamp")


def passed_on(subject: str, block: str, *, html: bool = False) -> Forwarded | None:
    above, below = ("<div>Can you take this?</div><br>", "<div>Broken.</div>") if html else ("Hi\n\n", "\n\nBroken.\n")
    return parse(mail(subject, f"{above}{block}{below}", html=html)).forwarded


def is_complete(found: Forwarded | None) -> bool:
    return (
        found is not None
        and (found.sender.address, found.subject) == (ANNA, SUBJECT)
        and found.sender.name in (NAME, "")
        and found.date is not None
        and found.date.strftime("%Y-%m-%d") == "2026-02-03"
    )


@pytest.mark.parametrize("words", languages(), ids=lambda words: words.language)
def test_every_program_in_every_language(words: Words) -> None:
    wrong = []
    for program, subject, block in texts(words):
        if not is_complete(passed_on(subject, block)):
            wrong.append(program)
        if program in ("outlook", "apple", "thunderbird", "gmail") and not is_complete(
            passed_on(subject, html_of(program, block), html=True)
        ):
            wrong.append(f"{program}, HTML")

    assert wrong == []


@pytest.mark.parametrize(("program", "subject", "block"), list(english_only()))
def test_programs_with_forms_of_their_own(program: str, subject: str, block: str) -> None:
    assert is_complete(passed_on(subject, block))


def test_a_head_in_words_that_nobody_knows_is_read_by_its_shape() -> None:
    block = f"Xabc: Anna Smith <{ANNA}>\nYdef: 2026-02-03 10:15\nZghi: <lan@shop.test>\nWjkl: {SUBJECT}"

    assert is_complete(passed_on(f"Fwd: {SUBJECT}", block))
    assert passed_on(SUBJECT, block) is None


def test_a_subject_with_some_word_before_the_older_one_passes_it_on() -> None:
    block = f"From: Anna Smith <{ANNA}>\nSent: 3 February 2026 10:15\nTo: Lan\nSubject: {SUBJECT}"

    assert is_complete(passed_on(f"Xyz: {SUBJECT}", block))
    assert is_complete(passed_on(f"Passed on: {SUBJECT}", block))
    for answer in ("Re", "AW", "SV", "Antw", "RES", "R", "Odp", "YNT", "回复", "Trả lời", "Ответ"):
        assert passed_on(f"{answer}: {SUBJECT}", block) is None


def test_somebody_elses_forward_under_an_answer_is_not_ours() -> None:
    quoted = f"On Monday, Feb 2, 2026 at 9:00 Minh <minh@shop.test> wrote:\n> ---------- Forwarded message ---------\n> From: Anna <{ANNA}>\n> Date: 3 Feb 2026\n> Subject: {SUBJECT}\n> To: x"
    nested = f"-----Original Message-----\nFrom: Minh <minh@shop.test>\nSent: Monday, February 2, 2026\nTo: Lan\nSubject: FW: {SUBJECT}\n\n---------- Forwarded message ---------\nFrom: Anna <{ANNA}>\nDate: 3 Feb 2026\nSubject: {SUBJECT}\nTo: x"

    assert passed_on(f"Re: {SUBJECT}", quoted) is None
    assert passed_on(f"RE: {SUBJECT}", nested) is None


def test_a_signature_is_no_head() -> None:
    text = "Lan Nguyen\nTel: 0912 345 678\nMail: lan@shop.test\nWeb: shop.test\nTax no.: 0301234567"

    assert passed_on(f"Fwd: {SUBJECT}", text) is None


@pytest.mark.parametrize(("subject", "block"), TEXTS)
def test_html_says_the_same(subject: str, block: str) -> None:
    escaped = block.replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>\n")
    body = f"<div>Can you take this?</div><br><div>{escaped}</div><div>The lamp is broken.</div>"

    found = parse(mail(subject, body, html=True)).forwarded

    assert found is not None
    assert found.sender.address == ANNA


def test_a_mail_attached_as_a_whole_is_read_from_its_own_head() -> None:
    raw = (
        b"From: Lan <lan@shop.test>\nSubject: Fwd: Lamp\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        b"--x\nContent-Type: text/plain\n\nsee attached\n"
        b"--x\nContent-Type: message/rfc822\n\nFrom: Anna <anna@example.test>\nTo: lan@shop.test\nSubject: Lamp\n\nbroken\n--x--\n"
    )

    found = parse(raw).forwarded

    assert found is not None
    assert (found.sender.address, found.subject) == (ANNA, "Lamp")


def test_of_several_attached_mails_the_first_counts_and_the_others_are_listed() -> None:
    attached = "".join(
        f"--x\nContent-Type: message/rfc822\n\nFrom: {who}\nTo: lan@shop.test\nSubject: {subject}\n\n{text}\n"
        for who, subject, text in (
            (f"Anna <{ANNA}>", "Lamp", "broken"),
            ("Minh <minh@example.test>", "Chair", "late"),
            ("", "", "nobody"),
        )
    )
    head = "From: Lan <lan@shop.test>\nSubject: three\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
    found = parse(f"{head}--x\nContent-Type: text/plain\n\nsee attached\n{attached}--x--\n".encode())

    assert found.forwarded is not None
    assert (found.forwarded.sender.address, found.forwarded.text.strip()) == (ANNA, "broken")
    others = [(one.sender.address, one.subject) for one in found.forwarded.others]
    assert others == [("minh@example.test", "Chair"), ("", "")]
    assert len(found.attachments) == 3
    answer = parse(f"In-Reply-To: <a@b.test>\n{head}{attached}--x--\n".encode())
    assert answer.forwarded is None


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (
            "Re: Lamp",
            f"Thanks!\n\nFrom: Anna <{ANNA}>\nSent: Tuesday, February 3, 2026 10:15 AM\nTo: Lan\nSubject: Lamp",
        ),
        ("Re: Fwd: Lamp", "Thanks!\n\nOn 3 Feb 2026 at 10:15, Anna <anna@example.test> wrote:\n> lamp"),
        ("VS: Lamppu", f"Kiitos!\n\nLähettäjä: Anna <{ANNA}>\nLähetetty: 3.2.2026\nVastaanottaja: Lan\nAihe: Lamppu"),
        ("Forwarding my complaint", "Please forward this to the manager."),
    ],
)
def test_answers_are_no_forwards(subject: str, body: str) -> None:
    assert parse(mail(subject, body)).forwarded is None
