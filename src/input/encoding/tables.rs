//! Single-byte charsets that no crate has: EBCDIC code pages, and those of Macintoshes and others.
//!
//! Written by `fixtures/charsets.py`; change that, not this. U+FFFD marks bytes that mean nothing.

/// One charset: 256 characters, or 128 that follow ASCII.
pub(super) struct Charset {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) chars: &'static str,
}

#[rustfmt::skip]
pub(super) static CHARSETS: &[Charset] = &[
    Charset {
        name: "cp037",
        aliases: &["csibm037", "ebcdic-cp-ca", "ebcdic-cp-nl", "ebcdic-cp-us", "ebcdic-cp-wt", "ibm-037", "ibm037", "ibm039"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãåçñ¢.<(+|\
            &éêëèíîïìß!$*);¬\
            -/ÂÄÀÁÃÅÇÑ¦,%_>?\
            øÉÊËÈÍÎÏÌ`:#@'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ¤\
            µ~stuvwxyz¡¿ÐÝÞ®\
            ^£¥·©§¶¼½¾[]¯¨´×\
            {ABCDEFGHI\u{ad}ôöòóõ\
            }JKLMNOPQR¹ûüùúÿ\
            \\÷STUVWXYZ²ÔÖÒÓÕ\
            0123456789³ÛÜÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp273",
        aliases: &["csibm273", "ibm-273", "ibm273"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}â{àáãåçñÄ.<(+!\
            &éêëèíîïì~Ü$*);^\
            -/Â[ÀÁÃÅÇÑö,%_>?\
            øÉÊËÈÍÎÏÌ`:#§'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ¤\
            µßstuvwxyz¡¿ÐÝÞ®\
            ¢£¥·©@¶¼½¾¬|‾¨´×\
            äABCDEFGHI\u{ad}ô¦òóõ\
            üJKLMNOPQR¹û}ùúÿ\
            Ö÷STUVWXYZ²Ô\\ÒÓÕ\
            0123456789³Û]ÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp424",
        aliases: &["csibm424", "ebcdic-cp-he", "ibm-424", "ibm424"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{5d0}\u{5d1}\u{5d2}\u{5d3}\u{5d4}\u{5d5}\u{5d6}\u{5d7}\u{5d8}¢.<(+|\
            &\u{5d9}\u{5da}\u{5db}\u{5dc}\u{5dd}\u{5de}\u{5df}\u{5e0}\u{5e1}!$*);¬\
            -/\u{5e2}\u{5e3}\u{5e4}\u{5e5}\u{5e6}\u{5e7}\u{5e8}\u{5e9}¦,%_>?\
            \u{fffd}\u{5ea}\u{fffd}\u{fffd}\u{a0}\u{fffd}\u{fffd}\u{fffd}‗`:#@'=\"\
            \u{fffd}abcdefghi«»\u{fffd}\u{fffd}\u{fffd}±\
            °jklmnopqr\u{fffd}\u{fffd}\u{fffd}¸\u{fffd}¤\
            µ~stuvwxyz\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}®\
            ^£¥·©§¶¼½¾[]¯¨´×\
            {ABCDEFGHI\u{ad}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            }JKLMNOPQR¹\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \\÷STUVWXYZ²\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            0123456789³\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{9f}\
        ",
    },
    Charset {
        name: "cp500",
        aliases: &["csibm500", "ebcdic-cp-be", "ebcdic-cp-ch", "ibm-500", "ibm500"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãåçñ[.<(+!\
            &éêëèíîïìß]$*);^\
            -/ÂÄÀÁÃÅÇÑ¦,%_>?\
            øÉÊËÈÍÎÏÌ`:#@'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ¤\
            µ~stuvwxyz¡¿ÐÝÞ®\
            ¢£¥·©§¶¼½¾¬|¯¨´×\
            {ABCDEFGHI\u{ad}ôöòóõ\
            }JKLMNOPQR¹ûüùúÿ\
            \\÷STUVWXYZ²ÔÖÒÓÕ\
            0123456789³ÛÜÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp875",
        aliases: &["ibm-875", "ibm875"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}ΑΒΓΔΕΖΗΘΙ[.<(+!\
            &ΚΛΜΝΞΟΠΡΣ]$*);^\
            -/ΤΥΦΧΨΩΪΫ|,%_>?\
            ¨ΆΈΉ\u{a0}ΊΌΎΏ`:#@'=\"\
            ΅abcdefghiαβγδεζ\
            °jklmnopqrηθικλμ\
            ´~stuvwxyzνξοπρσ\
            £άέήϊίόύϋώςτυφχψ\
            {ABCDEFGHI\u{ad}ωΐΰ‘―\
            }JKLMNOPQR±½\u{1a}·’¦\
            \\\u{1a}STUVWXYZ²§\u{1a}\u{1a}«¬\
            0123456789³©\u{1a}\u{1a}»\u{9f}\
        ",
    },
    Charset {
        name: "cp1026",
        aliases: &["1026", "csibm1026", "ibm-1026", "ibm1026"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãå{ñÇ.<(+!\
            &éêëèíîïìßĞİ*);^\
            -/ÂÄÀÁÃÅ[Ñş,%_>?\
            øÉÊËÈÍÎÏÌı:ÖŞ'=Ü\
            Øabcdefghi«»}`¦±\
            °jklmnopqrªºæ¸Æ¤\
            µöstuvwxyz¡¿]$@®\
            ¢£¥·©§¶¼½¾¬|¯¨´×\
            çABCDEFGHI\u{ad}ô~òóõ\
            ğJKLMNOPQR¹û\\ùúÿ\
            ü÷STUVWXYZ²Ô#ÒÓÕ\
            0123456789³Û\"ÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp1140",
        aliases: &["1140", "ibm-1140", "ibm1140"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãåçñ¢.<(+|\
            &éêëèíîïìß!$*);¬\
            -/ÂÄÀÁÃÅÇÑ¦,%_>?\
            øÉÊËÈÍÎÏÌ`:#@'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ€\
            µ~stuvwxyz¡¿ÐÝÞ®\
            ^£¥·©§¶¼½¾[]¯¨´×\
            {ABCDEFGHI\u{ad}ôöòóõ\
            }JKLMNOPQR¹ûüùúÿ\
            \\÷STUVWXYZ²ÔÖÒÓÕ\
            0123456789³ÛÜÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp1047",
        aliases: &["1047", "ibm-1047", "ibm1047"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãåçñ¢.<(+|\
            &éêëèíîïìß!$*);^\
            -/ÂÄÀÁÃÅÇÑ¦,%_>?\
            øÉÊËÈÍÎÏÌ`:#@'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ¤\
            µ~stuvwxyz¡¿Ð[Þ®\
            ¬£¥·©§¶¼½¾Ý¨¯]´×\
            {ABCDEFGHI\u{ad}ôöòóõ\
            }JKLMNOPQR¹ûüùúÿ\
            \\÷STUVWXYZ²ÔÖÒÓÕ\
            0123456789³ÛÜÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp1141",
        aliases: &["1141", "ibm-1141", "ibm1141"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}â{àáãåçñÄ.<(+!\
            &éêëèíîïì~Ü$*);^\
            -/Â[ÀÁÃÅÇÑö,%_>?\
            øÉÊËÈÍÎÏÌ`:#§'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ€\
            µßstuvwxyz¡¿ÐÝÞ®\
            ¢£¥·©@¶¼½¾¬|‾¨´×\
            äABCDEFGHI\u{ad}ô¦òóõ\
            üJKLMNOPQR¹û}ùúÿ\
            Ö÷STUVWXYZ²Ô\\ÒÓÕ\
            0123456789³Û]ÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "cp1148",
        aliases: &["1148", "ibm-1148", "ibm1148"],
        chars: "\
            \0\u{1}\u{2}\u{3}\u{9c}\t\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\r\u{e}\u{f}\
            \u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}\
            \u{80}\u{81}\u{82}\u{83}\u{84}\n\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}\
            \u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}\
            \u{20}\u{a0}âäàáãåçñ[.<(+!\
            &éêëèíîïìß]$*);^\
            -/ÂÄÀÁÃÅÇÑ¦,%_>?\
            øÉÊËÈÍÎÏÌ`:#@'=\"\
            Øabcdefghi«»ðýþ±\
            °jklmnopqrªºæ¸Æ€\
            µ~stuvwxyz¡¿ÐÝÞ®\
            ¢£¥·©§¶¼½¾¬|¯¨´×\
            {ABCDEFGHI\u{ad}ôöòóõ\
            }JKLMNOPQR¹ûüùúÿ\
            \\÷STUVWXYZ²ÔÖÒÓÕ\
            0123456789³ÛÜÙÚ\u{9f}\
        ",
    },
    Charset {
        name: "iso-8859-9",
        aliases: &["csisolatin5", "iso-8859-9-1989", "iso-ir-148", "iso8859-9", "l5", "latin5"],
        chars: "\
            \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
            \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
            àáâãäåæçèéêëìíîï\
            ğñòóôõö÷øùúûüışÿ\
        ",
    },
    Charset {
        name: "iso-8859-11",
        aliases: &["iso-8859-11-2001", "iso8859-11", "thai"],
        chars: "\
            \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
            \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
            \u{a0}\u{e01}\u{e02}\u{e03}\u{e04}\u{e05}\u{e06}\u{e07}\u{e08}\u{e09}\u{e0a}\u{e0b}\u{e0c}\u{e0d}\u{e0e}\u{e0f}\
            \u{e10}\u{e11}\u{e12}\u{e13}\u{e14}\u{e15}\u{e16}\u{e17}\u{e18}\u{e19}\u{e1a}\u{e1b}\u{e1c}\u{e1d}\u{e1e}\u{e1f}\
            \u{e20}\u{e21}\u{e22}\u{e23}\u{e24}\u{e25}\u{e26}\u{e27}\u{e28}\u{e29}\u{e2a}\u{e2b}\u{e2c}\u{e2d}\u{e2e}\u{e2f}\
            \u{e30}\u{e31}\u{e32}\u{e33}\u{e34}\u{e35}\u{e36}\u{e37}\u{e38}\u{e39}\u{e3a}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{e3f}\
            \u{e40}\u{e41}\u{e42}\u{e43}\u{e44}\u{e45}\u{e46}\u{e47}\u{e48}\u{e49}\u{e4a}\u{e4b}\u{e4c}\u{e4d}\u{e4e}\u{e4f}\
            \u{e50}\u{e51}\u{e52}\u{e53}\u{e54}\u{e55}\u{e56}\u{e57}\u{e58}\u{e59}\u{e5a}\u{e5b}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
        ",
    },
    Charset {
        name: "tis-620",
        aliases: &["iso-ir-166", "tis-620-0", "tis-620-2529-0", "tis-620-2529-1", "tis620"],
        chars: "\
            \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
            \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
            \u{fffd}\u{e01}\u{e02}\u{e03}\u{e04}\u{e05}\u{e06}\u{e07}\u{e08}\u{e09}\u{e0a}\u{e0b}\u{e0c}\u{e0d}\u{e0e}\u{e0f}\
            \u{e10}\u{e11}\u{e12}\u{e13}\u{e14}\u{e15}\u{e16}\u{e17}\u{e18}\u{e19}\u{e1a}\u{e1b}\u{e1c}\u{e1d}\u{e1e}\u{e1f}\
            \u{e20}\u{e21}\u{e22}\u{e23}\u{e24}\u{e25}\u{e26}\u{e27}\u{e28}\u{e29}\u{e2a}\u{e2b}\u{e2c}\u{e2d}\u{e2e}\u{e2f}\
            \u{e30}\u{e31}\u{e32}\u{e33}\u{e34}\u{e35}\u{e36}\u{e37}\u{e38}\u{e39}\u{e3a}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{e3f}\
            \u{e40}\u{e41}\u{e42}\u{e43}\u{e44}\u{e45}\u{e46}\u{e47}\u{e48}\u{e49}\u{e4a}\u{e4b}\u{e4c}\u{e4d}\u{e4e}\u{e4f}\
            \u{e50}\u{e51}\u{e52}\u{e53}\u{e54}\u{e55}\u{e56}\u{e57}\u{e58}\u{e59}\u{e5a}\u{e5b}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
        ",
    },
    Charset {
        name: "cp856",
        aliases: &["ibm-856", "ibm856"],
        chars: "\
            \u{5d0}\u{5d1}\u{5d2}\u{5d3}\u{5d4}\u{5d5}\u{5d6}\u{5d7}\u{5d8}\u{5d9}\u{5da}\u{5db}\u{5dc}\u{5dd}\u{5de}\u{5df}\
            \u{5e0}\u{5e1}\u{5e2}\u{5e3}\u{5e4}\u{5e5}\u{5e6}\u{5e7}\u{5e8}\u{5e9}\u{5ea}\u{fffd}£\u{fffd}×\u{fffd}\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}®¬½¼\u{fffd}«»\
            ░▒▓│┤\u{fffd}\u{fffd}\u{fffd}©╣║╗╝¢¥┐\
            └┴┬├─┼\u{fffd}\u{fffd}╚╔╩╦╠═╬¤\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}┘┌█▄¦\u{fffd}▀\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}µ\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}¯´\
            \u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}\
        ",
    },
    Charset {
        name: "cp1006",
        aliases: &["1006", "ibm-1006", "ibm1006"],
        chars: "\
            \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
            \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
            \u{a0}۰۱۲۳۴۵۶۷۸۹،\u{61b}\u{ad}\u{61f}\u{fe81}\
            \u{fe8d}\u{fe8e}\u{fe8e}\u{fe8f}\u{fe91}\u{fb56}\u{fb58}\u{fe93}\u{fe95}\u{fe97}\u{fb66}\u{fb68}\u{fe99}\u{fe9b}\u{fe9d}\u{fe9f}\
            \u{fb7a}\u{fb7c}\u{fea1}\u{fea3}\u{fea5}\u{fea7}\u{fea9}\u{fb84}\u{feab}\u{fead}\u{fb8c}\u{feaf}\u{fb8a}\u{feb1}\u{feb3}\u{feb5}\
            \u{feb7}\u{feb9}\u{febb}\u{febd}\u{febf}\u{fec1}\u{fec5}\u{fec9}\u{feca}\u{fecb}\u{fecc}\u{fecd}\u{fece}\u{fecf}\u{fed0}\u{fed1}\
            \u{fed3}\u{fed5}\u{fed7}\u{fed9}\u{fedb}\u{fb92}\u{fb94}\u{fedd}\u{fedf}\u{fee0}\u{fee1}\u{fee3}\u{fb9e}\u{fee5}\u{fee7}\u{fe85}\
            \u{feed}\u{fba6}\u{fba8}\u{fba9}\u{fbaa}\u{fe80}\u{fe89}\u{fe8a}\u{fe8b}\u{fef1}\u{fef2}\u{fef3}\u{fbb0}\u{fbae}\u{fe7c}\u{fe7d}\
        ",
    },
    Charset {
        name: "cp1125",
        aliases: &["1125", "cp866u", "ibm-1125", "ibm1125", "ruscii"],
        chars: "\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
            └┴┬├─┼╞╟╚╔╩╦╠═╬╧\
            ╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
            рстуфхцчшщъыьэюя\
            ЁёҐґЄєІіЇї·√№¤■\u{a0}\
        ",
    },
    Charset {
        name: "hp-roman8",
        aliases: &["cp1051", "csHPRoman8", "ibm1051", "r8", "roman8"],
        chars: "\
            \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
            \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
            \u{a0}ÀÂÈÊËÎÏ´ˋˆ¨˜ÙÛ₤\
            ¯Ýý°ÇçÑñ¡¿¤£¥§ƒ¢\
            âêôûáéóúàèòùäëöü\
            ÅîØÆåíøæÄìÖÜÉïßÔ\
            ÁÃãÐðÍÌÓÒÕõŠšÚŸÿ\
            Þþ·µ¶¾—¼½ªº«■»±\u{fffd}\
        ",
    },
    Charset {
        name: "koi8-t",
        aliases: &[],
        chars: "\
            қғ‚Ғ„…†‡\u{fffd}‰ҳ‹ҲҷҶ\u{fffd}\
            Қ‘’“”•–—\u{fffd}™\u{fffd}›\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}ӯӮё¤ӣ¦§\u{fffd}\u{fffd}\u{fffd}«¬\u{ad}®\u{fffd}\
            °±²Ё\u{fffd}Ӣ¶·\u{fffd}№\u{fffd}»\u{fffd}\u{fffd}\u{fffd}©\
            юабцдефгхийклмно\
            пярстужвьызшэщчъ\
            ЮАБЦДЕФГХИЙКЛМНО\
            ПЯРСТУЖВЬЫЗШЭЩЧЪ\
        ",
    },
    Charset {
        name: "kz1048",
        aliases: &["kz-1048", "rk1048", "strk1048-2002"],
        chars: "\
            ЂЃ‚ѓ„…†‡€‰Љ‹ЊҚҺЏ\
            ђ‘’“”•–—\u{fffd}™љ›њқһџ\
            \u{a0}ҰұӘ¤Ө¦§Ё©Ғ«¬\u{ad}®Ү\
            °±Ііөµ¶·ё№ғ»әҢңү\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            рстуфхцчшщъыьэюя\
        ",
    },
    Charset {
        name: "mac-croatian",
        aliases: &[],
        chars: "\
            ÄÅÇÉÑÖÜáàâäãåçéè\
            êëíìîïñóòôöõúùûü\
            †°¢£§•¶ß®Š™´¨≠ŽØ\
            ∞±≤≥∆µ∂∑∏š∫ªºΩžø\
            ¿¡¬√ƒ≈Ć«Č…\u{a0}ÀÃÕŒœ\
            Đ—“”‘’÷◊\u{f8ff}©⁄€‹›Æ»\
            –·‚„‰ÂćÁčÈÍÎÏÌÓÔ\
            đÒÚÛÙıˆ˜¯πË˚¸Êæˇ\
        ",
    },
    Charset {
        name: "mac-greek",
        aliases: &["macgreek"],
        chars: "\
            Ä¹²É³ÖÜ΅àâä΄¨çéè\
            êë£™îï•½‰ôö¦€ùûü\
            †ΓΔΘΛΞΠß®©ΣΪ§≠°·\
            Α±≤≥¥ΒΕΖΗΙΚΜΦΫΨΩ\
            άΝ¬ΟΡ≈Τ«»…\u{a0}ΥΧΆΈœ\
            –―“”‘’÷ΉΊΌΎέήίόΏ\
            ύαβψδεφγηιξκλμνο\
            πώρστθωςχυζϊϋΐΰ\u{ad}\
        ",
    },
    Charset {
        name: "mac-iceland",
        aliases: &["maciceland"],
        chars: "\
            ÄÅÇÉÑÖÜáàâäãåçéè\
            êëíìîïñóòôöõúùûü\
            Ý°¢£§•¶ß®©™´¨≠ÆØ\
            ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
            ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ\
            –—“”‘’÷◊ÿŸ⁄€ÐðÞþ\
            ý·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\
            \u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ\
        ",
    },
    Charset {
        name: "mac-latin2",
        aliases: &["mac-centeuro", "maccentraleurope", "maclatin2"],
        chars: "\
            ÄĀāÉĄÖÜáąČäčĆćéŹ\
            źĎíďĒēĖóėôöõúĚěü\
            †°Ę£§•¶ß®©™ę¨≠ģĮ\
            įĪ≤≥īĶ∂∑łĻļĽľĹĺŅ\
            ņŃ¬√ńŇ∆«»…\u{a0}ňŐÕőŌ\
            –—“”‘’÷◊ōŔŕŘ‹›řŖ\
            ŗŠ‚„šŚśÁŤťÍŽžŪÓÔ\
            ūŮÚůŰűŲųÝýķŻŁżĢˇ\
        ",
    },
    Charset {
        name: "mac-romanian",
        aliases: &[],
        chars: "\
            ÄÅÇÉÑÖÜáàâäãåçéè\
            êëíìîïñóòôöõúùûü\
            †°¢£§•¶ß®©™´¨≠ĂȘ\
            ∞±≤≥¥µ∂∑∏π∫ªºΩăș\
            ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ\
            –—“”‘’÷◊ÿŸ⁄€‹›Țț\
            ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\
            \u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ\
        ",
    },
    Charset {
        name: "mac-turkish",
        aliases: &["macturkish"],
        chars: "\
            ÄÅÇÉÑÖÜáàâäãåçéè\
            êëíìîïñóòôöõúùûü\
            †°¢£§•¶ß®©™´¨≠ÆØ\
            ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
            ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ\
            –—“”‘’÷◊ÿŸĞğİıŞş\
            ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\
            \u{f8ff}ÒÚÛÙ\u{f8a0}ˆ˜¯˘˙˚¸˝˛ˇ\
        ",
    },
    Charset {
        name: "palmos",
        aliases: &[],
        chars: "\
            €\u{81}‚ƒ„…†‡ˆ‰Š‹Œ♦♣♥\
            ♠‘’“”•–—˜™š\u{9b}œ\u{9d}\u{9e}Ÿ\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
            àáâãäåæçèéêëìíîï\
            ðñòóôõö÷øùúûüýþÿ\
        ",
    },
    Charset {
        name: "ptcp154",
        aliases: &["cp154", "csptcp154", "cyrillic-asian", "pt154"],
        chars: "\
            ҖҒӮғ„…ҶҮҲүҠӢҢҚҺҸ\
            җ‘’“”•–—ҳҷҡӣңқһҹ\
            \u{a0}ЎўЈӨҘҰ§Ё©Ә«¬ӯ®Ҝ\
            °ұІіҙө¶·ё№ә»јҪҫҝ\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            рстуфхцчшщъыьэюя\
        ",
    },
];
