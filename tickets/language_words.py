"""The words that languages use all the time, for `tickets.languages`: chosen by us, no word in two lists."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VIETNAMESE = _words(
    """
    ai anh ay bac bao bat biet bot buoi cac cach cam canh cau chac chao chay chi chiec chieu cho chon chong chu
    chua chung chuyen co coi cua cung cuoc cuoi cuon dang danh dau dc den deu dich dien dieu dinh doi don dong
    du dum dung duoc duong duy em gi gia giam giao gio gioi giong giup gui hai hang het hien hinh hoa hoac hoan
    hoi hom hon hop huong huy kenh kha khac khach kham khi khoan khoang khoi khong khuyen kia kiem kien kieu ko
    la lai lam lau len lich lien lieu loai loi luc luon luong mang mau minh moi mong mot mua muon nam nao nay
    nen neu ngan ngay nghe ngoai nguoi nha nhac nham nhan nhanh nhat nhau nhe nhieu nho nhu nhung noi ntn nua
    nuoc oi phai phan phat phi phieu phong phuc phut qua quan quen quy rang rat roi ruoi sach san sao sau sdt se
    sinh soat suat tai tao tat theo thi thich thieu thoi thong thu thuc thue thuoc thuong tien tieng tiep tim
    tinh toan toi tot tra trang tren trong tru truoc truong tuan tuyet vai vao vay ve vi viec vien voi vua vui
    vung vuong xem xin xong xu yeu
    """
)
"""Without their marks, and no everyday words of English."""

ENGLISH = _words(
    """
    about account address after again against all already also always am and another any anyone anything are as
    ask at available away back bank be because been before being better between bill book both but buy by called
    came cancel card change check contact could customer customers days dear delivery details did does doing
    done down each either else enough error even ever every everything feature few find first for forgot from
    get getting give given goes going good got had has have having hello help here hers him his how however i
    i'd i'll i'm i've if instead into is isn't issue item its itself just keep kind know last late later least
    left less let like little long look looking made make many mean might mine money month more most much must
    my myself need needed never new next not nothing now number of off often old one only open or other our out
    over own page paid password pay payment people phone please possible price problem product put question
    rather received refund regards reply right said same say see send sent service several shall she should show
    since sincerely some someone something soon still stop store such support sure system take tell thank thanks
    their theirs there these they thing things think this those though through time today together tomorrow too
    took towards transfer tried try trying two under until up update us use used using very want wanted was way
    we website week well went were what when where whether which while who whole whom whose why will with within
    without won't work working would wrong year yet you your yours yourself
    """
)
"""Function words, and what customers write about."""

OTHERS = _words(
    """
    aan aber akan ale alla anche anda att au auch auf aus aussi avec avez bei belum bien bir bisa bitte bonjour
    bu buongiorno cette che ciao comme cuando cuenta czy dan dank danke dans dari das dat de del della dello dem
    dengan der des det deze değil die dla donde dziekuje dzien dziękuję een ein eine einen el en er est esta
    este está et ett eu fait foi fue fur för für geehrte geen gli goedemorgen gracias grazie guten habe haben
    har heb heeft hej hola ich icin ihr ihre ikke il ini inte isso ist itu için jag jak je jeg jest jullie kami
    kann kasih las le les leur los maar mais mam mas med mein meine merci merhaba mes meu minha mohon muy más na
    naar nach nel nicht nie niet noch non nous não obrigada obrigado och oder og olá ook os ou para pas pedido
    pero por pour prosze proszę puedo på que questa questo qui quiero saya sehr seu sie siz się som sono sont
    sua sudah suis sur tack takk tengo terima tesekkur teşekkür tidak tout tres très um uma un und une untuk
    usted var vielen voce você von voor vos votre vous wenn werden wij wir wurde ya yang yok zijn zum zur är été
    être
    """
)
"""Function words of German, French, Spanish, Italian, Portuguese, Dutch, Indonesian, Polish, Turkish, Swedish."""

SILENT = _words(
    """
    admin alo an app ban banh bay chat code combo con day email gap go ha hay he ho hung inbox link ly ma mail
    man mat may men mon nghi no o ok okay oke online order pho sai sale sang ship shop size sms so son song tang
    tet than that them then tin tu van vo voucher web wifi
    """
)
"""Said in both, or typed alike in both: they tell nothing."""

SHARED = _words(
    """
    a can do in it me on the to
    """
)
"""English all the time, and Vietnamese without its marks."""

SURNAMES = _words(
    """
    bui dang dao dinh do duong ho hoang huynh lam le ly mai ngo nguyen pham phan tran trinh truong vo vu
    """
)
"""Vietnamese families; first names are told by their capitals."""
