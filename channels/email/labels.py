"""The words that mail programs write around an answered or forwarded mail, by language."""

import re
import unicodedata

# Labels of the header block that Outlook, Apple Mail, Gmail and others put above the older mail.
_FROM = (
    "absender|nosūtītājs|siuntėjas|autor|"
    "from|von|de|da|van|från|fra|från|lähettäjä|od|ot|от|від|отправитель|відправник|feladó|kimden|gönderen|"
    "από|expéditeur|expedidor|remitente|mittente|remetente|afzender|avsändare|avsender|afsender|nadawca|"
    "odesílatel|"
    "от кого|expeditor|de la|šalje|pošiljatelj|saatja|nuo|no|dari|pengirim|từ|người gửi|gửi từ|จาก|מאת|من|"
    "از|"
    "发件人|寄件者|寄件人|發件人|差出人|送信者|送信元|보낸 사람|보낸사람|발신"
)
_SENT = (
    "dată|wysłane|data wysłania|enviada|enviado el día|fecha de envío|inviato il|verzonden op|gesendet am|"
    "odeslané|poslané|zaslané|wysłano dnia|päivä|"
    "sent|date|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviado em|enviada em|fecha|"
    "data|"
    "inviato|data invio|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|päiväys|wysłano|odesláno|"
    "odoslané|"
    "dátum|elküldve|küldés|küldve|отправлено|дата|надіслано|дата отправки|tarih|gönderme tarihi|gönderildi|"
    "ημερομηνία|στάλθηκε|trimis|poslano|poslato|saadetud|kuupäev|išsiųsta|datums|tanggal|dikirim|terkirim|"
    "ngày|ngày gửi|đã gửi|gửi lúc|thời gian|gửi|ส่ง|วันที่|נשלח|תאריך|تاريخ|تم الإرسال|التاريخ|"
    "发送时间|发送日期|日期|时间|寄件日期|傳送時間|時間|日時|送信日時|날짜|보낸 날짜|보낸날짜"
)
_TO = (
    "către|catre|adresat|do wiadomości|příjemce|"
    "to|an|à|a|pour|para|aan|naar|till|til|vastaanottaja|do|komu|кому|címzett|kime|alıcı|προς|către|za|"
    "prima|primatelj|kellele|"
    "saaja|kam|gavėjas|kepada|đến|tới|người nhận|gửi đến|gửi tới|ถึง|אל|إلى|به|destinataire|destinatario|"
    "destinatário|"
    "ontvanger|mottagare|mottaker|modtager|收件人|收件者|宛先|받는 사람|받는사람|수신"
)
_CC = "cc|kopie|copie|cópia|copia|kopia|kopi|kopio|копия|копія|másolat|bilgi|κοιν|dw|抄送|副本|참조|đồng gửi|sao gửi"
_SUBJECT = (
    "subject|betreff|betr|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|"
    "předmet|predmet|"
    "тема|tárgy|konu|θέμα|subiect|naslov|teema|tema|subjek|perihal|chủ đề|tiêu đề|เรื่อง|נושא|موضوع|"
    "الموضوع|"
    "主题|主旨|主題|件名|标题|題名|제목"
)
_REPLY_TO = (
    "reply-to|antwort an|répondre à|responder a|risposta|rispondi a|beantwoorden|trả lời|responder para|"
    "important|wichtigkeit"
)

FROM, SENT, TO, CC, SUBJECT, OTHER = "from", "sent", "to", "cc", "subject", "other"
_KINDS = ((FROM, _FROM), (SENT, _SENT), (TO, _TO), (CC, _CC), (SUBJECT, _SUBJECT), (OTHER, _REPLY_TO))
LABELS: dict[str, str] = {}
for _kind, _words in _KINDS:
    for _word in _words.split("|"):
        LABELS.setdefault(unicodedata.normalize("NFC", _word), _kind)
LABELS["importance"] = LABELS["attachments"] = LABELS["priority"] = LABELS["anlagen"] = OTHER

_LABEL_LINE = re.compile(r"^[\s>|*_•\-]{0,12}([^\W\d_][^:：\n*]{0,24}?)[\s*_\xa0]{0,4}[:：][\s*_\xa0]{0,6}(.{0,2000})$")

# Verbs that end an attribution line ("On … Anna wrote:").
WROTE = (
    "wrote|writes|schrieb|schrieb am|schreef|a écrit|écrit|escribió|ha escrito|escreveu|ha scritto|scrive|"
    "scrisse|skrev|skriver|"
    "kirjoitti|napisał\\(a\\)|napisał|napisała|napsal|napsal\\(a\\)|napsala|napísal|napísal\\(a\\)|написал|"
    "написала|"
    "написал\\(а\\)|пишет|пише|писал|писал\\(а\\)|написав|написав\\(ла\\)|написа|a scris|írta|ezt írta|"
    "yazdı|şunları yazdı|"
    "έγραψε|kirjutas|rašė|rakstīja|je napisao|je napisala|je napisao/la|napisao|napisao je|je napisal|"
    "menulis|đã viết|viết|"
    "เขียน|כתב|כתבה|‫כתב|كتب|كتبت|نوشت|写道|寫道|撰写|のメール|さんは書きました|さんが書きました|"
    "書きました|님이 작성|님이 작성함|작성"
)
_ORIGINAL = (
    "original message|original email|original mail|original appointment|ursprüngliche nachricht|"
    "originalnachricht|original-nachricht|"
    "ursprüngliche mail|message d'origine|message original|message initial|mensaje original|"
    "messaggio originale|"
    "messaggio origin|mensagem original|oorspronkelijk bericht|ursprungligt meddelande|originalmeddelande|"
    "oprindelig meddelelse|original meddelelse|opprinnelig melding|alkuperäinen viesti|"
    "wiadomość oryginalna|oryginalna wiadomość|"
    "původní zpráva|původní e-mail|pôvodná správa|исходное сообщение|первоначальное сообщение|"
    "оригінальне повідомлення|eredeti üzenet|orijinal ileti|orjinal ileti|özgün ileti|αρχικό μήνυμα|"
    "mesaj original|"
    "izvorna poruka|originalna poruka|izvirno sporočilo|thư gốc|tin nhắn gốc|thư ban đầu|原始邮件|原始郵件|"
    "邮件原件|"
    "元のメッセージ|original nachricht|original melding|원본 메시지|원본 메일|ข้อความเดิม|הודעה מקורית|"
    "الرسالة الأصلية|reply message|"
    "pesan asli|reply"
)
_FORWARD = (
    "mail transféré|e-mail transféré|továbbított levél kezdete|i̇leti başlangıcı|ileti başlangıcı|"
    "iletilmiş ileti|i̇letilmiş ileti|iletilen e-posta başlangıcı|przesłana dalej wiadomość|mesaj transmis|"
    "mesajul redirecționat|redirecționat|videresendt mail|vidarebefordrat|weitergeleitete e-mail|"
    "forwarded message|forwarded mail|forwarded email|forwarded by [^\\n]{1,80}?|forwarded|"
    "begin forwarded message|"
    "start of forwarded message|weitergeleitete nachricht|weitergeleitete mail|"
    "weitergeleitet von [^\\n]{1,80}?|"
    "anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|message transféré|"
    "message transmis|"
    "message réexpédié|courriel transféré|début du message réexpédié|début du message transféré|"
    "mensaje reenviado|inicio del mensaje reenviado|mensagem encaminhada|mensagem reencaminhada|"
    "início da mensagem encaminhada|início da mensagem reencaminhada|messaggio inoltrato|"
    "inizio messaggio inoltrato|"
    "messaggio inviato|doorgestuurd bericht|begin doorgestuurd bericht|vidarebefordrat meddelande|"
    "vidarebefordrat mejl|"
    "vidarebefordrat brev|början på vidarebefordrat brev|videresendt meddelelse|videresendt besked|"
    "start på videresendt besked|videresendt melding|begynnelse på videresendt melding|videresendt e-post|"
    "edelleenlähetetty viesti|välitetty viesti|välitetty viesti alkaa|"
    "przekazana wiadomość|wiadomość przekazana dalej|treść przekazanej wiadomości|"
    "początek przekazywanej wiadomości|"
    "přeposlaná zpráva|začátek přeposílané zprávy|preposlaná správa|začiatok preposlanej správy|"
    "továbbított üzenet|a továbbított levél kezdete|пересылаемое сообщение|перенаправленное сообщение|"
    "пересланное сообщение|начало переадресованного сообщения|начало пересылаемого сообщения|"
    "переслане повідомлення|перенаправлене повідомлення|початок листа, що пересилається|"
    "препратено съобщение|"
    "yönlendirilmiş ileti|yönlendirilen mesaj|iletilmiş mesaj|i̇letilmiş mesaj|iletilen ileti başlangıcı|"
    "προωθημένο μήνυμα|mesaj redirecționat|mesaj redirectionat|începutul mesajului redirecționat|"
    "proslijeđena poruka|prosleđena poruka|započni proslijeđenu poruku|posredovano sporočilo|"
    "edastatud kiri|edastatud sõnum|"
    "persiųstas laiškas|pārsūtītā ziņa|pesan terusan|pesan yang diteruskan|mulai pesan yang diteruskan|"
    "thư được chuyển tiếp|thư đã chuyển tiếp|tin nhắn được chuyển tiếp|tin nhắn chuyển tiếp|"
    "email được chuyển tiếp|"
    "bắt đầu thư được chuyển tiếp|bắt đầu thư đã chuyển tiếp|thư chuyển tiếp|"
    "转发的邮件|转发邮件|转发邮件信息|以下是转发的邮件|已转发的邮件|開始轉寄郵件|轉寄郵件|轉寄的郵件|"
    "转发信息|"
    "転送されたメッセージ|転送メッセージ|転送されたメール|以下は転送されたメッセージです|"
    "전달된 메시지|전달된 메일|다음은 전달된 메시지입니다|전송된 메시지|ข้อความที่ส่งต่อ|הודעה שהועברה|"
    "הועבר מאת|رسالة معاد توجيهها|الرسالة المعاد توجيهها"
)
_RULE_CHARACTERS = "-–—_=*> \t\xa0"
_DASH_START = re.compile(r"^[\s>*]{0,6}[-–—_=]{2}")
_ORIGINAL_WORDS = re.compile(rf"(?:{_ORIGINAL})\s?:?", re.IGNORECASE)
_FORWARD_WORDS = re.compile(rf"(?:{_FORWARD})(?:\s(?:from|von|de)\s[^\n]{{1,80}})?\s?[:：]?", re.IGNORECASE)
_MAX_MARKER = 300

# What mail programs put in front of a forwarded subject; "Re: Fwd:" is an answer, not a forward.
FORWARD_SUBJECT = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:fwd?|fw|wg|wtr|tr|rv|i|enc|doorst|vb|vl|vs: vl|pd|pdl|továbbítás|tov|"
    r"fs|ilt|i̇lt|yml|πρθ|prth|"
    r"redir|proslijeđeno|inoltro|transf|trf|chuyển tiếp|转发|轉寄|转寄|轉|転送|전달|edasi|pren|forwarded|"
    r"weitergeleitet)\s*[:：]",
    re.IGNORECASE,
)

# "VS:" forwards in Danish and Norwegian and answers in Finnish: the block's own words decide.
NORDIC_SUBJECT = re.compile(r"^\s*vs\s*:", re.IGNORECASE)
NORDIC_FROM = re.compile(r"^[\s>|*_]{0,8}fra\b", re.IGNORECASE)

_MOBILE = (
    r"sent (?:from|via|using|by|on) (?:my |the )?\S.{1,110}|sent with .{2,80}|get outlook for .{2,60}|"
    r"(?:von meinem|gesendet (?:von|mit|aus)|diese nachricht wurde von).{2,80}|envoyé (?:depuis|de|"
    r"à partir de|avec) .{2,60}|"
    r"enviado (?:desde|de|do|a partir de|por|via|com) .{2,60}|inviato (?:da|dal|con) .{2,60}|"
    r"verzonden (?:vanaf|van|met|via) .{2,60}|"
    r"skickat från .{2,60}|sendt fra .{2,60}|lähetetty .{2,60}|wysłan[eo] (?:z|ze|za) .{2,60}|"
    r"odesláno z .{2,60}|"
    r"отправлено (?:с|из|от) .{2,60}|надіслано (?:з|із) .{2,60}|.{2,40}(?:telefonumdan|"
    r"'[dt][ae]n) gönderildi|"
    r"được gửi từ .{2,60}|đã gửi từ .{2,60}|gửi từ .{2,60}|发自(?:我的)?.{2,40}|從我的.{2,40}傳送|"
    r"傳送自.{2,40}|"
    r".{0,20}iphone ?から送信|.{0,20}から送信|나의 .{2,30}에서 보냄|내 .{2,30}에서 보냄|"
    r"στάλθηκε από .{2,60}|trimis (?:de pe|din) .{2,60}|"
    r"dikirim dari .{2,60}|outlook (?:für|pour|para|per|voor|for) (?:ios|android).{0,20}|"
    r"downloade? outlook .{2,30}|"
    r"obtenir outlook pour .{2,20}|obtener outlook para .{2,20}|via .{2,20} mobile|envoyé via .{2,40}"
)
MOBILE_SIGNATURE = re.compile(rf"^[\s*_<>\[\(\-–—]{{0,6}}(?:{_MOBILE})[\s*_>\]\).!]{{0,6}}$", re.IGNORECASE)


def is_original_line(line: str) -> bool:
    """`-----Original Message-----` in any known language."""
    if len(line) > _MAX_MARKER or not _DASH_START.match(line):
        return False
    return _ORIGINAL_WORDS.fullmatch(line.strip(_RULE_CHARACTERS)) is not None


def is_forward_line(line: str) -> bool:
    """`---------- Forwarded message ---------` or `Begin forwarded message:` in any known language."""
    if len(line) > _MAX_MARKER:
        return False
    core = line.strip(_RULE_CHARACTERS)
    if not core or not (_DASH_START.match(line) or core[-1] in ":："):
        return False
    return _FORWARD_WORDS.fullmatch(core) is not None


def header_label(line: str) -> tuple[str, str] | None:
    """(kind, value) when a line looks like `From: …` in any known language; the value may be empty."""
    match = _LABEL_LINE.match(line) if ":" in line or "：" in line else None
    if match is None:
        return None
    word = unicodedata.normalize("NFC", match[1].strip().lower().replace("\xa0", " ").replace("’", "'"))
    kind = LABELS.get(word)
    return (kind, match[2].strip().strip("*_ ")) if kind else None
