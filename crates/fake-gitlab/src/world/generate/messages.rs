//! What commits say, and who makes them without being known to GitLab.

/// Messages with something that programs stumble over.
pub const ODD_MESSAGES: &[&str] = &[
    "",
    "\n\nThe title is missing",
    "One line\r\nand another",
    "A title that goes on and on because nobody ever told its author that fifty characters are enough for the first \
     line of a commit message\n\nAnd a body.",
    "Averylongwordwithoutanyspaceinitthatnoprogramcanbreakanywhereaveryverylongwordwithoutanyspaceinitatall1234567",
    "fixup! Cache invoice totals",
    "Revert \"Revert \"Speed up the search index\"\"",
    "👩‍👩‍👧‍👦 feat(🚀): ship \"it\" \\ 'now' & <b>later</b>",
    "מה זה? \u{202e}txet lartneuqesnu\u{202c}",
    "e\u{301}galement, Z\u{336}a\u{336}lgo, line\u{2028}separator, \u{1}control\ttab",
    "Merge branch 'main' into 'main'",
    "chore: bump versions\n\nSigned-off-by: Renovate <bot@renovate.example.com>\nCo-authored-by: Ann <ann@example.com>",
];

/// Names and addresses that belong to no user of GitLab.
pub const OUTSIDERS: &[(&str, &str)] = &[
    ("Contractor Ñandú", "dev@contractor.example"),
    ("root", "root@build-7.localdomain"),
    ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
    ("Nobody", ""),
    ("MÜLLER, Jörg (EXT)", "Joerg.Mueller@EXAMPLE.com"),
];
