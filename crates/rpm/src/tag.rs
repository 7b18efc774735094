/// The number that says what an entry of a header holds.
///
/// Names and numbers are rpm's (`include/rpm/rpmtag.h`); tags that rpm computes instead of storing them, and those it only
/// reserved, are left out. A header may hold numbers that have no name here: they are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        #[expect(missing_docs, reason = "the names are rpm's and are documented there")]
        impl Tag {
            $(pub const $name: Tag = Tag($number);)*
        }

        /// Every named tag, by rising number.
        const NAMES: &[(u32, &str)] = &[$(($number, stringify!($name)),)*];
    };
}

tags! {
    HEADERSIGNATURES = 62,
    HEADERIMMUTABLE = 63,
    HEADERI18NTABLE = 100,
    SIGSIZE = 257,
    SIGPGP = 259,
    SIGMD5 = 261,
    SIGGPG = 262,
    PUBKEYS = 266,
    DSAHEADER = 267,
    RSAHEADER = 268,
    SHA1HEADER = 269,
    LONGSIGSIZE = 270,
    LONGARCHIVESIZE = 271,
    SHA256HEADER = 273,
    VERITYSIGNATURES = 276,
    VERITYSIGNATUREALGO = 277,
    OPENPGP = 278,
    SHA3_256HEADER = 279,
    NAME = 1000,
    VERSION = 1001,
    RELEASE = 1002,
    EPOCH = 1003,
    SUMMARY = 1004,
    DESCRIPTION = 1005,
    BUILDTIME = 1006,
    BUILDHOST = 1007,
    INSTALLTIME = 1008,
    SIZE = 1009,
    DISTRIBUTION = 1010,
    VENDOR = 1011,
    GIF = 1012,
    XPM = 1013,
    LICENSE = 1014,
    PACKAGER = 1015,
    GROUP = 1016,
    SOURCE = 1018,
    PATCH = 1019,
    URL = 1020,
    OS = 1021,
    ARCH = 1022,
    PREIN = 1023,
    POSTIN = 1024,
    PREUN = 1025,
    POSTUN = 1026,
    FILESIZES = 1028,
    FILESTATES = 1029,
    FILEMODES = 1030,
    FILERDEVS = 1033,
    FILEMTIMES = 1034,
    FILEDIGESTS = 1035,
    FILELINKTOS = 1036,
    FILEFLAGS = 1037,
    FILEUSERNAME = 1039,
    FILEGROUPNAME = 1040,
    ICON = 1043,
    SOURCERPM = 1044,
    FILEVERIFYFLAGS = 1045,
    ARCHIVESIZE = 1046,
    PROVIDENAME = 1047,
    REQUIREFLAGS = 1048,
    REQUIRENAME = 1049,
    REQUIREVERSION = 1050,
    NOSOURCE = 1051,
    NOPATCH = 1052,
    CONFLICTFLAGS = 1053,
    CONFLICTNAME = 1054,
    CONFLICTVERSION = 1055,
    EXCLUDEARCH = 1059,
    EXCLUDEOS = 1060,
    EXCLUSIVEARCH = 1061,
    EXCLUSIVEOS = 1062,
    RPMVERSION = 1064,
    TRIGGERSCRIPTS = 1065,
    TRIGGERNAME = 1066,
    TRIGGERVERSION = 1067,
    TRIGGERFLAGS = 1068,
    TRIGGERINDEX = 1069,
    VERIFYSCRIPT = 1079,
    CHANGELOGTIME = 1080,
    CHANGELOGNAME = 1081,
    CHANGELOGTEXT = 1082,
    PREINPROG = 1085,
    POSTINPROG = 1086,
    PREUNPROG = 1087,
    POSTUNPROG = 1088,
    BUILDARCHS = 1089,
    OBSOLETENAME = 1090,
    VERIFYSCRIPTPROG = 1091,
    TRIGGERSCRIPTPROG = 1092,
    COOKIE = 1094,
    FILEDEVICES = 1095,
    FILEINODES = 1096,
    FILELANGS = 1097,
    PREFIXES = 1098,
    INSTPREFIXES = 1099,
    SOURCEPACKAGE = 1106,
    PROVIDEFLAGS = 1112,
    PROVIDEVERSION = 1113,
    OBSOLETEFLAGS = 1114,
    OBSOLETEVERSION = 1115,
    DIRINDEXES = 1116,
    BASENAMES = 1117,
    DIRNAMES = 1118,
    ORIGDIRINDEXES = 1119,
    ORIGBASENAMES = 1120,
    ORIGDIRNAMES = 1121,
    OPTFLAGS = 1122,
    DISTURL = 1123,
    PAYLOADFORMAT = 1124,
    PAYLOADCOMPRESSOR = 1125,
    PAYLOADFLAGS = 1126,
    INSTALLCOLOR = 1127,
    INSTALLTID = 1128,
    REMOVETID = 1129,
    PLATFORM = 1132,
    FILECOLORS = 1140,
    FILECLASS = 1141,
    CLASSDICT = 1142,
    FILEDEPENDSX = 1143,
    FILEDEPENDSN = 1144,
    DEPENDSDICT = 1145,
    SOURCESIGMD5 = 1146,
    POLICIES = 1150,
    PRETRANS = 1151,
    POSTTRANS = 1152,
    PRETRANSPROG = 1153,
    POSTTRANSPROG = 1154,
    DISTTAG = 1155,
    LONGFILESIZES = 5008,
    LONGSIZE = 5009,
    FILECAPS = 5010,
    FILEDIGESTALGO = 5011,
    BUGURL = 5012,
    PREINFLAGS = 5020,
    POSTINFLAGS = 5021,
    PREUNFLAGS = 5022,
    POSTUNFLAGS = 5023,
    PRETRANSFLAGS = 5024,
    POSTTRANSFLAGS = 5025,
    VERIFYSCRIPTFLAGS = 5026,
    TRIGGERSCRIPTFLAGS = 5027,
    POLICYNAMES = 5030,
    POLICYTYPES = 5031,
    POLICYTYPESINDEXES = 5032,
    POLICYFLAGS = 5033,
    VCS = 5034,
    ORDERNAME = 5035,
    ORDERVERSION = 5036,
    ORDERFLAGS = 5037,
    RECOMMENDNAME = 5046,
    RECOMMENDVERSION = 5047,
    RECOMMENDFLAGS = 5048,
    SUGGESTNAME = 5049,
    SUGGESTVERSION = 5050,
    SUGGESTFLAGS = 5051,
    SUPPLEMENTNAME = 5052,
    SUPPLEMENTVERSION = 5053,
    SUPPLEMENTFLAGS = 5054,
    ENHANCENAME = 5055,
    ENHANCEVERSION = 5056,
    ENHANCEFLAGS = 5057,
    ENCODING = 5062,
    FILETRIGGERSCRIPTS = 5066,
    FILETRIGGERSCRIPTPROG = 5067,
    FILETRIGGERSCRIPTFLAGS = 5068,
    FILETRIGGERNAME = 5069,
    FILETRIGGERINDEX = 5070,
    FILETRIGGERVERSION = 5071,
    FILETRIGGERFLAGS = 5072,
    TRANSFILETRIGGERSCRIPTS = 5076,
    TRANSFILETRIGGERSCRIPTPROG = 5077,
    TRANSFILETRIGGERSCRIPTFLAGS = 5078,
    TRANSFILETRIGGERNAME = 5079,
    TRANSFILETRIGGERINDEX = 5080,
    TRANSFILETRIGGERVERSION = 5081,
    TRANSFILETRIGGERFLAGS = 5082,
    FILETRIGGERPRIORITIES = 5084,
    TRANSFILETRIGGERPRIORITIES = 5085,
    FILESIGNATURES = 5090,
    FILESIGNATURELENGTH = 5091,
    PAYLOADSHA256 = 5092,
    PAYLOADSHA256ALGO = 5093,
    MODULARITYLABEL = 5096,
    PAYLOADSHA256ALT = 5097,
    SPEC = 5099,
    TRANSLATIONURL = 5100,
    UPSTREAMRELEASES = 5101,
    PREUNTRANS = 5103,
    POSTUNTRANS = 5104,
    PREUNTRANSPROG = 5105,
    POSTUNTRANSPROG = 5106,
    PREUNTRANSFLAGS = 5107,
    POSTUNTRANSFLAGS = 5108,
    PAYLOADSIZE = 5112,
    PAYLOADSIZEALT = 5113,
    RPMFORMAT = 5114,
    FILEMIMEINDEX = 5115,
    MIMEDICT = 5116,
    PACKAGEDIGESTS = 5118,
    PACKAGEDIGESTALGOS = 5119,
    SOURCENEVR = 5120,
    PAYLOADSHA512 = 5121,
    PAYLOADSHA512ALT = 5122,
    PAYLOADSHA3_256 = 5123,
    PAYLOADSHA3_256ALT = 5124,
}

/// Tags that mean something else in the signature header than in the main one.
///
/// Source: rpm, `include/rpm/rpmtag.h`, `RPMSIGTAG_*`.
pub mod signature {
    use super::Tag;

    /// Bytes of main header and payload together, 32 bits.
    pub const SIZE: Tag = Tag(1000);
    /// OpenPGP signature (RSA) over main header and payload.
    pub const PGP: Tag = Tag(1002);
    /// MD5 over main header and payload.
    pub const MD5: Tag = Tag(1004);
    /// OpenPGP signature (DSA, EdDSA) over main header and payload.
    pub const GPG: Tag = Tag(1005);
    /// Bytes of the payload before compression, 32 bits.
    pub const PAYLOADSIZE: Tag = Tag(1007);
    /// Zeros that a later signature may take the place of (rpm v4).
    pub const RESERVEDSPACE: Tag = Tag(1008);
    /// Zeros that a later signature may take the place of (rpm v6).
    pub const RESERVED: Tag = Tag(999);
    /// Signatures for the kernel's integrity measurement, one a file; 4.18 and later keep it here.
    pub const FILESIGNATURES: Tag = Tag(274);
    /// Bytes of each such signature.
    pub const FILESIGNATURELENGTH: Tag = Tag(275);
}

impl Tag {
    /// rpm's name in lower case (`requirename`), if the tag has one.
    pub fn name(self) -> Option<String> {
        let index = NAMES.binary_search_by_key(&self.0, |(number, _)| *number).ok()?;
        Some(NAMES[index].1.to_ascii_lowercase())
    }

    /// The tag that rpm calls `name`, in any case, with or without `RPMTAG_` in front.
    pub fn named(name: &str) -> Option<Tag> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("RPMTAG_").unwrap_or(&name);
        NAMES.iter().find(|(_, known)| *known == name).map(|(number, _)| Tag(*number))
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(&name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.name().unwrap_or_default(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_numbers_and_back() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, no number twice");
        for (name, tag) in
            [("name", Tag::NAME), ("RPMTAG_BASENAMES", Tag::BASENAMES), ("Payloadsha256", Tag::PAYLOADSHA256)]
        {
            assert_eq!(Tag::named(name), Some(tag));
        }
        assert_eq!(Tag::REQUIRENAME.name().as_deref(), Some("requirename"));
        assert_eq!(Tag::named("nothing"), None);
        assert_eq!(Tag(4).to_string(), "4");
    }
}
