"""The words that mail programs write around an answered or forwarded mail, by language."""

import re
import unicodedata
from functools import lru_cache

# Labels of the header block that Outlook, Apple Mail, Gmail and others put above the older mail.
_FROM = (
    "from|von|absender|de|da|van|afzender|från|fra|frå|avsändare|avsender|avsendar|afsender|lähettäjä|"
    "expéditeur|expedidor|remitente|mittente|remetente|emitente|od|odesílatel|odosielateľ|nadawca|autor|"
    "wysyłane przez|feladó|küldő|expeditor|de la|expediat de|от|от кого|отправитель|від|від кого|відправник|"
    "подател|kimden|gönderen|gönderici|šalje|pošiljatelj|pošiljalac|saatja|kellelt|no|sūtītājs|nosūtītājs|nuo|"
    "siuntėjas|kas|από|αποστολέας|dari|pengirim|từ|người gửi|gửi từ|จาก|ผู้ส่ง|מאת|שולח|השולח|من|المرسل|از|"
    "发件人|发送者|发信人|寄件者|寄件人|發件人|從|从|差出人|送信者|発信者|送信元|보낸 사람|보낸사람|보내는 사람|"
    "발신|발신인|"
    "प्रेषक|daripada|mula kay|mittent|од|frå|sendandi|প্রেরক"
)
_SENT = (
    "sent|sent at|message du|date|date sent|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|enviado|enviados|"
    "enviado el|enviado el día|enviado em|enviada|enviadas|enviada em|fecha|fecha de envío|data|data de envio|"
    "data invio|inviato|inviato il|verzonden|verzonden op|skickat|skickades|sendt|sendt den|dato|lähetetty|"
    "päivä|päivämäärä|päiväys|wysłano|wysłane|wysłano dnia|data wysłania|odesláno|odeslané|odoslané|poslané|"
    "zaslané|dátum|elküldve|küldés|küldve|küldés dátuma|dată|trimis|trimis la|expediat|отправлено|отправлен|"
    "дата|дата отправки|дата отправления|надіслано|відправлено|изпратено|tarih|gönderilen|gönderme tarihi|gönderilme|"
    "gönderilme tarihi|gönderildi|poslano|poslato|saadetud|kuupäev|nosūtīts|datums|išsiųsta|išsiuntimo data|"
    "ημερομηνία|στάλθηκε|αποστολή|ημ/νία|tanggal|dikirim|terkirim|ngày|ngày gửi|đã gửi|gửi lúc|thời gian|gửi|"
    "ส่ง|ส่งเมื่อ|วันที่|נשלח|נשלח בתאריך|תאריך|تاريخ|تم الإرسال|تاريخ الإرسال|أرسلت|المرسلة|التاريخ|"
    "发送时间|发送日期|日期|时间|寄件日期|寄送日期|傳送時間|已傳送|時間|日時|日付|送信日|送信日時|날짜|"
    "보낸 날짜|보낸날짜|보낸 시간|보낸시간|발송일|일시|"
    "दिनांक|भेजा गया|भेजने की तारीख|tarikh|petsa|enviat|enviat el|dia|датум|तारीख|তারিখ"
)
_TO = (
    "to|an|empfänger|à|a|pour|para|destinataire|destinatario|destinatário|aan|naar|ontvanger|till|mottagare|"
    "til|mottaker|mottakar|modtager|vastaanottaja|saaja|do|dla|adresat|do wiadomości|odbiorca|komu|příjemce|"
    "adresát|pre|címzett|la|către|catre|destinatar|кому|получатель|одержувач|до|за|kime|alıcı|za|prima|"
    "primatelj|prejemnik|kellele|adressaat|kam|uz|saņēmējs|gavėjas|προς|παραλήπτης|kepada|đến|tới|gửi tới|"
    "gửi đến|người nhận|ถึง|ผู้รับ|אל|עבור|إلى|الى|المستقبل|به|收件人|收件者|收信人|到|至|宛先|受信者|받는 사람|받는사람|"
    "수신|수신인|"
    "प्रति|सेवा में|para kay|per a|per|প্রতি"
)
_CC = (
    "cc|kopie|kopie cc|copie|copie à|cópia|copia|con copia|kopia|kopi|kopi til|kopi til cc|kopio|копия|копія|"
    "kópia|másolat|másolatot kap|copie cc|bilgi|kk|κοιν|κοιν.|κοινοποίηση|dw|do wiadomości dw|kopija|kp|koopia|"
    "đồng gửi|sao gửi|đồng kính gửi|สำเนา|עותק|לידיעה|نسخة|نسخة كربونية|抄送|副本|写し cc|참조"
)
_SUBJECT = (
    "subject|betreff|betr|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|otsikko|temat|předmět|"
    "predmet|tárgy|subiect|subiectul|тема|относно|konu|naslov|zadeva|teema|pealkiri|tēma|temats|tema|dalykas|"
    "θέμα|subjek|perihal|chủ đề|tiêu đề|เรื่อง|หัวเรื่อง|נושא|الموضوع|موضوع|主题|主旨|主題|件名|标题|標題|題名|제목|"
    "наслов|विषय|paksa|assumpte|বিষয়|subjek"
)
_OTHER = (
    "reply-to|antwort an|répondre à|responder a|responder para|risposta|rispondi a|beantwoorden|trả lời|"
    "important|wichtigkeit|importance|priority|priorität|importancia|importanza|attachments|anlagen|"
    "pièces jointes|organization|organisation|message-id|bcc"
)

FROM, SENT, TO, CC, SUBJECT, OTHER = "from", "sent", "to", "cc", "subject", "other"
_KINDS = ((FROM, _FROM), (SENT, _SENT), (TO, _TO), (CC, _CC), (SUBJECT, _SUBJECT), (OTHER, _OTHER))
# Arabic and Hebrew mails carry marks of direction, and some programs write the vowels of their labels.
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_VOWELS = re.compile(r"[\u05b0-\u05c7\u064b-\u0652]")


def folded(words: str) -> str:
    """Words as they are compared: lower case, one form of each letter, nothing that is not seen."""
    plain = _VOWELS.sub("", words.translate(_UNSEEN)).replace("\xa0", " ").replace("’", "'")
    # A Turkish capital dotted I falls apart into two characters.
    plain = plain.replace("İ", "i").lower()
    return unicodedata.normalize("NFC", " ".join(re.sub(r"[()]", " ", plain).split()))


LABELS: dict[str, str] = {}
for _kind, _words in _KINDS:
    for _word in _words.split("|"):
        LABELS.setdefault(folded(_word), _kind)

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
    "originalnachricht|original-nachricht|original nachricht|ursprüngliche mail|ursprüngliche e-mail|"
    "message d'origine|message original|message initial|courriel original|courriel initial|mensaje original|"
    "correo original|messaggio originale|messaggio origin|mensagem original|oorspronkelijk bericht|"
    "oorspronkelijke bericht|origineel bericht|ursprungligt meddelande|originalmeddelande|"
    "oprindelig meddelelse|original meddelelse|original besked|opprinnelig melding|original melding|"
    "opphavleg melding|alkuperäinen viesti|alkuperäinen viesti / orig.msg.|wiadomość oryginalna|"
    "oryginalna wiadomość|treść oryginalnej wiadomości|původní zpráva|původní e-mail|pôvodná správa|"
    "pôvodná správa --- original message|исходное сообщение|первоначальное сообщение|оригинално писмо|"
    "оригінальне повідомлення|початкове повідомлення|eredeti üzenet|orijinal ileti|orjinal ileti|özgün ileti|"
    "αρχικό μήνυμα|πρωτότυπο μήνυμα|mesaj original|mesajul original|izvorna poruka|originalna poruka|"
    "изворна порука|izvirno sporočilo|izvorno sporočilo|algne kiri|esialgne kiri|algne sõnum|"
    "sākotnējā vēstule|sākotnējā ziņa|sākotnējais ziņojums|originalus laiškas|originalus tekstas|"
    "pradinis pranešimas|thư gốc|tin nhắn gốc|thư ban đầu|原始邮件|原始郵件|原始消息|邮件原件|元のメッセージ|"
    "元メール|원본 메시지|원본 메일|ข้อความเดิม|ข้อความต้นฉบับ|הודעה מקורית|الرسالة الأصلية|الرسالة الأساسية|"
    "reply message|replied message|pesan asli|reply|mail original|e-mail original|回复的原邮件|回复的邮件|"
    "(?:please )?(?:type|write|enter|add|put)?(?: your)? ?reply above this line|reply above this line|"
    "(?:vui lòng )?(?:trả lời|nhập câu trả lời) (?:phía |ở )?trên dòng này"
)
# How the words for "forwarded" begin: above a header block one of them is enough.
_FORWARDED_STEMS = (
    "forward|fwd|weitergeleitet|transf[ée]r|réexpédi|transmis|reenvia|encaminhad|inoltrat|doorgestuurd|"
    "vidarebefordra|videresend|vidaresend|edelleen ?lähet|välitett|przekaz|przesłan|přepos|prepos|továbbított|"
    "redirec[țţt]ion|пересыла|пересла|перенаправл|переадрес|препрат|ilet|yönlendir|προωθ|proslij?eđ|прослеђ|"
    "posredov|edastat|pārsūt|persi[uų]|terus|chuyển tiếp|转发|轉寄|轉發|転送|전달|전송|ส่งต่อ|הועבר|מועבר|توجيه|ممرر|"
    "reenviat|बढ़ाया|फ़ॉरवर्ड|फॉरवर्ड|dimajukan|ipinasa|بازارسال|هدایت|áframsen"
)
# What programs write between dashes, or with a colon at the end.
_FORWARDED = (
    "(?:begin |start of )?forwarded (?:message|mail|email)|forwarded by [^\\n]{1,80}?|forwarded|"
    "(?:anfang der )?weitergeleitete[n]? (?:nachricht|e-mail|mail)|weitergeleitet von [^\\n]{1,80}?|"
    "(?:début du )?(?:message|courriel|e-mail|mail) (?:réexpédié|transféré|transmis)|"
    "(?:inicio del )?mensaje (?:reenviado|transmitido)|(?:início da )?mensagem (?:re)?encaminhada|"
    "(?:inizio (?:del )?)?messaggio inoltrato|messaggio inviato|(?:begin )?doorgestuurd bericht|"
    "(?:början på )?vidarebefordrat (?:mejl|brev|meddelande|e-postmeddelande)|vidarebefordrat|"
    "(?:start på |begynnelse på )?videresendt (?:besked|meddelelse|mail|e-mail|melding|e-post)|"
    "vidaresend melding|(?:edelleen ?lähetetty|välitetty) viesti(?: alkaa| / fwd.msg)?|"
    "(?:początek|treść) (?:przekazywanej|przekazanej) wiadomości|przekazana wiadomość|"
    "przesłana dalej wiadomość|wiadomość (?:przekazana|przesłana) dalej|začátek přeposílané zprávy|"
    "přeposlan(?:á zpráva|ý e-mail)|začiatok preposlanej správy|preposlan(?:á správa|ý e-mail)|"
    "preposlaná správa --- forwarded message|(?:a )?továbbított (?:levél|üzenet)(?: kezdete)?|"
    "(?:începe|începutul) mesajul(?:ui)? redirec[țţt]ionat|mesaj(?:ul)? redirec[țţt]ionat|mesaj transmis|"
    "redirecționat|начало (?:переадресованного|пересылаемого|пересланного) сообщения|"
    "(?:пересылаемое|пересланное|перенаправленное) сообщение|початок листа, що пересилається|"
    "(?:переслане|перенаправлене|переадресоване) повідомлення|препратено (?:съобщение|писмо)|"
    "ileti başlangıcı|(?:iletilen|iletilmiş|yönlendirilen|yönlendirilmiş) (?:ileti|mesaj|e-posta)(?: başlangıcı)?|"
    "(?:έναρξη )?προωθ(?:ημένο μήνυμα|ημένου μηνύματος)|(?:započni )?proslij?eđen(?:a poruka|u poruku)|"
    "прослеђена порука|začetek posredovanega sporočila|posredovano sporočilo|edastatud (?:kiri|sõnum)|"
    "edastatud kirja algus|pārsūtīt(?:ā|ās) (?:ziņa|vēstule|vēstules sākums)|pārsūtītais ziņojums|"
    "persiųstas (?:laiškas|pranešimas)|persiunčiamo laiško pradžia|"
    "(?:mulai )?pesan (?:terusan|diteruskan|yang diteruskan)|"
    "(?:bắt đầu )?(?:thư|tin nhắn|email) (?:đã |được )*chuyển tiếp|(?:以下是|开始)?已?转发的?(?:邮件|消息)|"
    "转发邮件信息|转发信息|(?:開始)?轉寄的?(?:郵件|信件)|(?:以下は)?転送(?:された)?(?:メッセージ|メール)(?:です)?|"
    "(?:다음은 )?(?:전달|전송)된 (?:메시지|메일)(?:입니다)?|ข้อความที่ส่งต่อ|(?:תחילת )?ה?הודעה שהועברה|הועבר מאת|"
    "(?:بدء )?(?:ال)?رسالة (?:ال)?معاد توجيهها|رسالة ممررة"
)
_RULE_CHARACTERS = "-–—_=*#> \t\xa0"
_DASH_START = re.compile(r"^[\s>*]{0,6}(?:#{2}[-–—_=]|[-–—_=]{2})")
_ORIGINAL_WORDS = re.compile(rf"(?:{_ORIGINAL})\s?:?", re.IGNORECASE)
_FORWARDED_WORDS = re.compile(rf"(?:{_FORWARDED})(?:\s(?:from|von|de)\s[^\n]{{1,80}})?\s?[:：]?", re.IGNORECASE)
_STEMS = re.compile(_FORWARDED_STEMS, re.IGNORECASE)
_MAX_MARKER = 300
_MAX_ANNOUNCEMENT = 120

# What mail programs put in front of a forwarded subject; "Re: Fwd:" is an answer, not a forward.
FORWARD_SUBJECT = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?[\[(]?(?:fwd?|wg|wtr|tr|rv|reenv|i|inol(?:tro)?|enc|encam|doorst|vb|vl|"
    r"vs: vl|vidarebefordrat|videresend(?:t|e|er)?|pd|pdl|pdp|przek|pře|přeposláno|preposlané|továbbítás|tov|"
    r"fs|redir|redirecționat|trans|transf|trf|пер|пересл|переслано|переадр|ilt|ilet|yml|πρθ|prth|pr|"
    r"proslij?eđeno|prosl|psl|posredovano|ed|edasi|pārs|pārsūtīts|pers|persiųsta|trs|terusan|teruskan|"
    r"chuyển tiếp|转发|轉寄|转寄|轉發|轉|転送|전달|إعادة توجيه|הועבר|העבר|ส่งต่อ|forwarded|weitergeleitet)"
    r"\.?(?:\[\d{1,2}\])?\s?[\])]?\s*[:：]",
    re.IGNORECASE,
)
# And what they put in front of an answered one.
ANSWER_SUBJECT = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|antwort|sv|svar|vs|vá|válasz|res|resp|rif|r|ref|réf|rép|"
    r"odp|odpověď|odpoveď|odg|odgovor|ynt|yan|cevap|bls|vast|vastaus|ats|atsakymas|atb|αντ|απ|απάντηση|σχετ|"
    r"ответ|отв|відп|відповідь|на|răsp|răspuns|hồi đáp|trả lời|回复|回覆|答复|答覆|返信|回信|답장|회신|ตอบกลับ|"
    r"השב|תגובה|תשובה|رد|balas)(?:\[\d{1,2}\]|\(\d{1,2}\))?\s*[:：]",
    re.IGNORECASE,
)
# "VS:" forwards in Danish and Norwegian and answers in Finnish: the block's own words decide.
NORDIC_SUBJECT = re.compile(r"^\s*vs\s*:", re.IGNORECASE)
NORDIC_FROM = re.compile(r"^[\s>|*_]{0,8}fra\b", re.IGNORECASE)

_MOBILE = (
    r"sent (?:from|via|using|by|on) (?:my |the )?\S.{1,110}|sent with .{2,80}|"
    r"get outlook for (?:ios|android|mac|windows|mobile|iphone|ipad).{0,60}|"
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
    r"obtenir outlook pour .{2,20}|obtener outlook para .{2,20}|via .{2,20} mobile|envoyé via .{2,40}|"
    r"tải outlook (?:dành )?cho .{2,60}|scarica outlook per .{2,60}|outlook voor .{2,40} downloaden.{0,60}|"
    r"outlook (?:für|til|för) .{2,20} (?:herunterladen|beziehen|hämta|hent).{0,60}|hämta outlook för .{2,60}|"
    r"verstuurd (?:vanaf|met|via) .{2,60}|enviat des d.{2,60}|odoslané z .{2,60}|poslano (?:s|sa|z|iz) .{2,60}|"
    r".{2,40}['’]?[ıiuü]mdan gönderildi|ส่งจาก ?.{2,60}|elküldve .{2,60}|נשלח (?:מה?|באמצעות).{2,60}|"
    r"أ?ُ?رسلت من .{2,60}|मेरे .{2,40} से भेजा गया|از .{2,40} من ارسال شد"
)
_GADGETS = re.compile(
    r"(?-i:\bE?-?Mail\b|\bLG\b|\bMac\b|\biOS\b|\bFree\b|\bOrange\b|\bFront\b|\bSpark\b|\bNine\b)|"
    r"i ?phone|i ?pad|i ?pod|apple watch|galaxy|samsung|android|outlook|phone|mobil|handy|tablet|yahoo|huawei|xiaomi|"
    r"redmi|oppo\b|\bvivo\b|realme|nokia|sony|xperia|\bhtc\b|moto\b|motorola|pixel|oneplus|black ?berry|windows|"
    r"surface|device|gerät|appareil|dispositiv|toestel|cihaz|telef|điện thoại|thiết bị|máy tính|手机|手機|携帯|"
    r"スマート|스마트|мобил|телефон|смартфон|โทรศัพท์|proton|gmail|thunderbird|k-?9|zoho|gmx|web\.de|t-?online|"
    r"freenet|hotmail|tutanota|posteo|superhuman|missive|newton|edison|mailbird|em client|verizon|sprint|t-mobile|"
    r"at&t|vodafone|laposte|libero|tiscali|roundcube|zimbra|mail\.ru|yandex|яндекс|почт|kmail|webmail|\bapp\b|"
    r"mail\b[^.]{0,40}(?:<|https?:)|(?:post|mail|box)\S{0,12}(?:<|https?:)",
    re.IGNORECASE,
)
# "Sent from my Moto G": a thing with a name of its own; "from my wife's house" is a sentence.
_MY_THING = re.compile(
    r"\b(?:my|meinem|mon|mi|mio|mijn|min|meu|mojego|mého|môjho|моего|моєї|của tôi)\s+(?-i:[A-Z0-9])\S{0,20}"
    r"(?:\s(?-i:[A-Z0-9])\S{0,20}){0,4}[.!]?$",
    re.IGNORECASE,
)
_MOBILE_LINE = re.compile(rf"^[\s*_<>\[\(\-–—]{{0,6}}(?:{_MOBILE})[\s*_>\]\).!]{{0,6}}$", re.IGNORECASE)


def is_mobile_signature(line: str) -> bool:
    """`Sent from my iPhone`: names a thing or a program; "Sent from Hanoi on Monday." is the author's."""
    return _MOBILE_LINE.match(line) is not None and (_GADGETS.search(line) or _MY_THING.search(line)) is not None


def is_original_line(line: str) -> bool:
    """`-----Original Message-----` in any known language."""
    if len(line) > _MAX_MARKER or not _DASH_START.match(line):
        return False
    return _ORIGINAL_WORDS.fullmatch(_marker_words(line)) is not None


def is_forward_line(line: str) -> bool:
    """`---------- Forwarded message ---------` or `Begin forwarded message:` in any known language."""
    if len(line) > _MAX_MARKER:
        return False
    core = _marker_words(line)
    if not core or not (_DASH_START.match(line) or core[-1] in ":："):
        return False
    return _FORWARDED_WORDS.fullmatch(core) is not None


def announces_forward(line: str) -> bool:
    """A short line between dashes or with a colon that speaks of forwarding: proof only above a header block."""
    if len(line) > _MAX_ANNOUNCEMENT or not (_DASH_START.match(line) or ":" in line or "：" in line):
        return False
    core = _marker_words(line)
    return bool(core) and (_DASH_START.match(line) or core[-1] in ":：") and _STEMS.search(core) is not None


def _marker_words(line: str) -> str:
    words = _VOWELS.sub("", line.translate(_UNSEEN)).replace("İ", "i").strip(_RULE_CHARACTERS)
    return " ".join(words.split())


# Heads are looked for from every line on: a line is asked about up to 14 times in a row.
@lru_cache(maxsize=64)
def header_label(line: str) -> tuple[str, str] | None:
    """(kind, value) when a line looks like `From: …` in any known language; the value may be empty."""
    found = any_label(line)
    if found is None:
        return None
    kind = LABELS.get(folded(found[0]))
    return (kind, found[1]) if kind else None


def any_label(line: str) -> tuple[str, str] | None:
    """(label, value) when a line has the shape of `Label: value`, in whatever language."""
    match = _LABEL_LINE.match(line.translate(_UNSEEN)) if ":" in line or "：" in line else None
    return (match[1].strip(), match[2].strip().strip("*_ ")) if match else None
