//! The words the world is made of.

pub const FIRST: &[&str] = &[
    "Ada",
    "Bjarne",
    "Chloé",
    "Dmitri",
    "Emeka",
    "Fatima",
    "Grace",
    "Hiroshi",
    "Ingrid",
    "José",
    "Katarína",
    "Linus",
    "Maren",
    "Nguyễn",
    "Olga",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomoko",
    "Ulla",
    "Víctor",
    "Wei",
    "Xenia",
    "Yusuf",
    "Zoë",
];

pub const LAST: &[&str] = &[
    "Andersson",
    "Bianchi",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Głowacki",
    "Haddad",
    "Ito",
    "Johansen",
    "Kowalski",
    "Lindqvist",
    "Müller",
    "Novák",
    "O'Brien",
    "Petrov",
    "Quispe",
    "Rossi",
    "Şahin",
    "Tanaka",
];

pub const GROUPS: &[&str] = &[
    "Platform",
    "Commerce",
    "Payments",
    "Checkout",
    "Data",
    "Mobile",
    "Infra",
    "Search",
    "Identity",
    "Logistics",
    "Billing",
    "Growth",
];

pub const PROJECTS: &[&str] = &[
    "api",
    "web",
    "worker",
    "gateway",
    "catalogue",
    "mailer",
    "scheduler",
    "ledger",
    "importer",
    "exporter",
    "console",
    "ingest",
    "proxy",
    "toolkit",
    "reports",
    "search",
];

pub const VERBS: &[&str] =
    &["Add", "Fix", "Remove", "Refactor", "Speed up", "Document", "Simplify", "Retry", "Validate", "Cache"];

pub const THINGS: &[&str] = &[
    "the login page",
    "invoice totals",
    "retries of webhooks",
    "stale carts",
    "the nightly import",
    "currency rounding",
    "the search index",
    "flaky checkout tests",
    "metrics labels",
    "access checks",
];

pub const LABELS: &[&str] = &[
    "bug",
    "feature",
    "maintenance",
    "backend",
    "frontend",
    "database",
    "security",
    "performance",
    "needs-review",
    "workflow::in dev",
    "priority::1",
    "priority::2",
    "good first issue",
    "docs",
    "ci",
];

pub const COLORS: &[&str] = &["#428BCA", "#d9534f", "#5CB85C", "#f0ad4e", "#8E44AD", "#34495E", "#ed9121"];

/// Comments, among them text that has broken programs before.
pub const COMMENTS: &[&str] = &[
    "Looks good to me.",
    "Could you add a test for the empty case?",
    "Why not reuse the existing helper here?",
    "Nice, thank you!",
    "This breaks when the list is empty, doesn't it?",
    "Rebased on main.",
    "Please split this commit.",
    "👩‍👩‍👧‍👦 ship it 🚀🏳️‍🌈",
    "מה זה? \u{202e}txet lartneuqesnu\u{202c}",
    "e\u{301}galement: ne\u{308}e, Z\u{336}a\u{336}l\u{336}g\u{336}o",
    "line\u{2028}separator, \u{feff}BOM, \u{200b}zero width, \u{1}control",
    "quotes \" and \\ and 'single' and `code` and <b>html</b> & %s {} $1",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ＦＵＬＬ ﷽ \u{10ffff}",
    "first line\r\nsecond line\r\n\r\n```sql\nselect 1; -- drop table\n```",
    "approved this merge request, I mean: I would",
];
