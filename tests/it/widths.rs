//! Two thousand clusters of more than forty scripts, drawn by the encoder into terminals that other people wrote, each
//! with widths of its own: whatever a terminal makes of a cluster, after scrolling and editing the screen is what a
//! repaint gives, and the columns stand.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use warroom::run::encoder::{Colours, Habits, Shown, Urgency};
use warroom::text::{columns, shown};

use crate::plain::Host;
use crate::support::until;

/// A script: its name, words as people write them, and letters and marks of which clusters are made.
type Script = (&'static str, &'static str, &'static [(u32, u32)], &'static str);

const BINARY: &str = env!("CARGO_BIN_EXE_warroom");
/// So many clusters of each script.
const EACH: usize = 46;
/// Columns from one mark to the next: the mark, and room for the widest cluster and what a terminal may make of it.
const STEP: u16 = 8;

const SCRIPTS: [Script; 46] = [
    ("Latin", "Zoë Müller naïve café Łódź", &[(0x61, 0x7a)], "\u{301}\u{308}\u{323}\u{361}"),
    ("Vietnamese", "Nguyễn Phương Đặng", &[(0x1ea0, 0x1ef9)], "\u{309}"),
    ("Greek", "ΟΔΟΣ ἀρχή ᾧ", &[(0x3b1, 0x3c9)], "\u{301}\u{345}"),
    ("Cyrillic", "оплата Київ й ё", &[(0x430, 0x44f)], "\u{301}\u{306}\u{488}"),
    ("Armenian", "վճարում և", &[(0x561, 0x586)], ""),
    ("Georgian", "გადახდა", &[(0x10d0, 0x10fa), (0x1c90, 0x1caf)], ""),
    ("Hebrew", "שָׁלוֹם תשלום", &[(0x5d0, 0x5ea)], "\u{5b0}\u{5bc}\u{5c1}"),
    ("Arabic", "الانتظار لا ملاحظة", &[(0x627, 0x64a)], "\u{64e}\u{651}\u{670}"),
    ("Persian", "می\u{200c}خواهم پرداخت درگاه ۱۲۳ لا", &[(0x6a9, 0x6d3), (0x6f0, 0x6f9)], "\u{650}"),
    ("Tatweel", "مـــحـمـد", &[(0x640, 0x640)], "\u{64e}\u{650}\u{651}"),
    ("Arabic forms", "\u{fefb}\u{fdf2}\u{fdfd}", &[(0xfe8d, 0xfefc)], ""),
    ("Urdu", "ادائیگی ےۓ", &[(0x679, 0x68f)], "\u{654}"),
    ("Syriac", "ܫܠܡܐ", &[(0x710, 0x72f)], "\u{730}\u{73f}"),
    ("Thaana", "ދިވެހި", &[(0x780, 0x7a5)], "\u{7a6}\u{7b0}"),
    ("NKo", "ߒߞߏ", &[(0x7ca, 0x7ea)], "\u{7eb}"),
    ("Devanagari", "क्षत्रिय भुगतान हिन्दी श्री", &[(0x915, 0x939)], "\u{93e}\u{93f}\u{947}\u{94d}\u{902}"),
    ("Bengali", "পেমেন্ট ক্ষ", &[(0x995, 0x9a8)], "\u{9be}\u{9bf}\u{9cb}\u{9cd}"),
    ("Gurmukhi", "ਭੁਗਤਾਨ", &[(0xa15, 0xa28)], "\u{a3e}\u{a3f}\u{a71}"),
    ("Gujarati", "ચુકવણી", &[(0xa95, 0xaa8)], "\u{abe}\u{abf}\u{acd}"),
    ("Oriya", "ଦେୟ", &[(0xb15, 0xb28)], "\u{b3e}\u{b47}\u{b4b}"),
    ("Tamil", "கட்டணம் க்ஷ", &[(0xb95, 0xb95), (0xba8, 0xbaa), (0xbae, 0xbb9)], "\u{bbe}\u{bca}\u{bcd}"),
    ("Telugu", "చెల్లింపు", &[(0xc15, 0xc28)], "\u{c3e}\u{c46}\u{c4d}"),
    ("Kannada", "ಪಾವತಿ", &[(0xc95, 0xca8)], "\u{cbe}\u{cca}\u{ccd}"),
    ("Malayalam", "പണമടയ്ക്കൽ", &[(0xd15, 0xd28)], "\u{d3e}\u{d4a}\u{d4d}"),
    ("Sinhala", "ගෙවීම ක්\u{200d}ෂ", &[(0xd9a, 0xdb1)], "\u{dcf}\u{dd9}\u{dca}"),
    ("Thai", "น้ำ การชำระเงิน ำ", &[(0xe01, 0xe2e)], "\u{e31}\u{e33}\u{e48}"),
    ("Lao", "ນ້ຳ ການຈ່າຍເງິນ", &[(0xe81, 0xe82), (0xe94, 0xe97)], "\u{eb1}\u{eb3}\u{ec8}"),
    ("Tibetan", "བོད་ཡིག", &[(0xf40, 0xf47), (0xf49, 0xf67)], "\u{f72}\u{f90}\u{fb2}"),
    ("Myanmar", "ငွေပေးချေမှု", &[(0x1000, 0x1020)], "\u{102d}\u{1031}\u{103b}\u{103c}"),
    ("Khmer", "ការទូទាត់ ក្ស", &[(0x1780, 0x17a2)], "\u{17b6}\u{17c1}\u{17d2}"),
    ("Ethiopic", "ክፍያ", &[(0x1200, 0x1248)], "\u{135f}"),
    ("Cherokee", "ᏣᎳᎩ", &[(0x13a0, 0x13f4)], ""),
    ("Syllabics", "ᐃᓄᒃᑎᑐᑦ", &[(0x1401, 0x1440)], ""),
    ("Mongolian", "ᠮᠣᠩᠭᠣᠯ", &[(0x1820, 0x1842)], "\u{180b}"),
    ("Balinese", "ᬩᬮᬶ", &[(0x1b13, 0x1b33)], "\u{1b36}\u{1b44}"),
    ("Javanese", "ꦗꦮ", &[(0xa98f, 0xa9b2)], "\u{a9b6}\u{a9ba}\u{a9c0}"),
    ("Hangul", "결제 지연", &[(0xac00, 0xac40)], ""),
    ("Jamo", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", &[(0x1100, 0x1112)], "\u{1161}\u{1175}\u{11a8}"),
    ("Kana", "おしはらい ガ か\u{3099} ﾊﾟ", &[(0x3041, 0x3096), (0xff66, 0xff9d)], "\u{3099}"),
    ("Bopomofo", "ㄅㄆㄇ", &[(0x3105, 0x312f)], ""),
    ("Han", "支付宝超时 𠀀 漢\u{fe00} 𰻞", &[(0x4e00, 0x4e30), (0x20000, 0x20010)], "\u{fe00}"),
    ("Yi", "ꆈꌠ", &[(0xa000, 0xa040)], ""),
    ("Ambiguous", "±×§°·→─│█○●★☆αЖⅣ①", &[(0x2460, 0x2490), (0x2660, 0x266f), (0xe000, 0xe008)], "\u{20dd}"),
    ("Pictures", "⚠\u{fe0f} ⚠\u{fe0e} ❤\u{fe0f} 🚨 👍🏽 1\u{fe0f}\u{20e3} ⏸ ⏱ ✅", &[(0x1f600, 0x1f640)], "\u{fe0f}"),
    (
        "Families and flags",
        "👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 🇮🇷🇳🇱🇩🇪 🏴\u{e0067}\u{e0062}\u{e007f}",
        &[(0x1f1e6, 0x1f1ff)],
        "",
    ),
    (
        "Marks alone",
        "\u{301}a \u{5b0} \u{94d} so\u{ad}ft a\u{200b}b \u{200d}x \u{3164} a\u{34f}\u{301}",
        &[(0x300, 0x340)],
        "",
    ),
];

/// The clusters of a script: of its words, then letters with and without marks.
fn clusters((_, words, ranges, marks): &Script) -> Vec<String> {
    let words = words.graphemes(true).filter(|cluster| *cluster != " ").map(str::to_owned);
    let letters = || ranges.iter().flat_map(|(from, to)| *from..=*to).filter_map(char::from_u32);
    let marked = marks.chars().flat_map(|mark| letters().map(move |letter| format!("{letter}{mark}")));
    let pairs = letters().zip(letters().skip(1)).map(|(one, other)| format!("{one}{other}"));
    let all = words.chain(letters().map(String::from)).chain(marked).chain(pairs);
    all.take(EACH).collect()
}

/// A screen of marks with a cluster behind each, from one on.
fn page(all: &[String], size: (u16, u16), from: usize) -> Buffer {
    let mut page = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let mut next = all[from.min(all.len())..].iter();
    for y in 0..size.1 {
        for x in (0..size.0 - STEP).step_by(STEP.into()) {
            let Some(cluster) = next.next() else { return page };
            page.set_string(x, y, "|", Style::new());
            page.set_stringn(x + 1, y, shown(cluster), usize::from(STEP) - 1, Style::new());
        }
    }
    page
}

/// What a terminal is given in turn, each followed by a look at it.
struct Story {
    /// A page painted, scrolled by a row, and edited: each row moved by one cluster.
    edited: Vec<u8>,
    /// The same picture, painted anew.
    repainted: Vec<u8>,
    /// Blanks in the place of all clusters.
    emptied: Vec<u8>,
    /// The marks alone.
    columns: Vec<String>,
}

fn stories(size: (u16, u16), habits: Habits) -> Vec<Story> {
    let all: Vec<String> = SCRIPTS.iter().flat_map(clusters).collect();
    assert!(all.len() >= 2000, "{}", all.len());
    let a_row = usize::from((size.0 - 1) / STEP);
    let mut screen = Shown::new(Colours::On);
    screen.set_habits(habits);
    let mut draw = |next: &Buffer, is_new: bool| {
        if is_new {
            screen.forget();
        }
        let mut out = Vec::new();
        screen.encode(next, None, None, Urgency::Key, &mut out);
        out
    };
    let a_page = a_row * usize::from(size.1);
    let begins = (0..all.len()).step_by(a_page);
    let story = |from: usize| {
        let edited =
            [from, from + a_row, from + a_row + 1, from + 1, from].map(|from| draw(&page(&all, size, from), false));
        let last = page(&all, size, from);
        let repainted = draw(&last, true);
        let (mut emptied, mut columns) = (Vec::new(), Vec::new());
        for y in 0..size.1 {
            let marks: Vec<u16> = (0..size.0).filter(|x| x % STEP == 0 && last[(*x, y)].symbol() == "|").collect();
            for x in &marks {
                write!(emptied, "\x1b[{};{}H{:7}", y + 1, x + 2, "").unwrap();
            }
            columns.push(marks.iter().map(|_| format!("|{:7}", "")).collect::<String>().trim_end().to_owned());
        }
        Story { edited: edited.concat(), repainted, emptied, columns }
    };
    begins.map(story).collect()
}

/// A terminal that shows what is written into a pipe.
trait Terminal {
    /// What it shows once it has read all that.
    fn after(&mut self, bytes: &[u8]) -> Vec<String>;
}

fn judge(name: &str, size: (u16, u16), habits: Habits, terminal: &mut dyn Terminal) {
    for (number, story) in stories(size, habits).iter().enumerate() {
        let edited = terminal.after(&story.edited);
        let repainted = terminal.after(&story.repainted);
        for (row, (one, other)) in edited.iter().zip(&repainted).enumerate() {
            assert_eq!(one, other, "{name}, page {number}, row {row}: edited, and painted anew");
        }
        assert_eq!(edited.len(), repainted.len());
        let emptied = terminal.after(&story.emptied);
        for (row, (is, should)) in emptied.iter().zip(&story.columns).enumerate() {
            assert_eq!(is.trim_end(), should, "{name}, page {number}, row {row}: {:?}", repainted[row]);
        }
    }
}

/// A program that prints what comes through a pipe, as it is.
struct Feed {
    pipe: File,
    steps: usize,
}

impl Feed {
    /// The command line for a terminal, and the end to write into once `start` has started it.
    fn new(folder: &Path, start: impl FnOnce(&str)) -> Self {
        let path = folder.join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        start(&format!("stty raw -echo; exec cat '{}'", path.display()));
        // Waits for the reader.
        let pipe = OpenOptions::new().write(true).open(&path).unwrap();
        Self { pipe, steps: 0 }
    }

    /// Writes, and then a title; waits until that is the terminal's.
    fn write(&mut self, bytes: &[u8], title: (&str, &str), now: impl Fn() -> String) {
        self.steps += 1;
        let step = format!("step-{}-", self.steps);
        self.pipe.write_all(bytes).unwrap();
        self.pipe.write_all(format!("{}{step}{}", title.0, title.1).as_bytes()).unwrap();
        until(&step, || now().contains(&step));
    }
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// tmux, with the pipe or another program in its pane.
struct Tmux {
    folder: tempfile::TempDir,
    feed: Option<Feed>,
}

impl Tmux {
    fn socket(&self) -> String {
        self.folder.path().join("tmux").display().to_string()
    }

    fn ask(&self, arguments: &[&str]) -> String {
        output("tmux", &[&["-u", "-S", &self.socket()], arguments].concat()).unwrap()
    }

    /// `around` makes the command of the pane of the one that prints.
    fn start(size: (u16, u16), around: impl FnOnce(&str) -> String) -> Self {
        let mut tmux = Self { folder: tempfile::tempdir().unwrap(), feed: None };
        let (wide, high) = (size.0.to_string(), size.1.to_string());
        let folder = tmux.folder.path().to_owned();
        tmux.feed = Some(Feed::new(&folder, |prints| {
            let pane = around(prints);
            tmux.ask(&["-f", "/dev/null", "new-session", "-d", "-x", &wide, "-y", &high, &pane]);
            tmux.ask(&["set", "-g", "status", "off"]);
            tmux.ask(&["resize-window", "-x", &wide, "-y", &high]);
        }));
        tmux
    }
}

impl Terminal for Tmux {
    fn after(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut feed = self.feed.take().unwrap();
        feed.write(bytes, ("\x1b]2;", "\x07"), || self.ask(&["display", "-p", "#{pane_title}"]));
        self.feed = Some(feed);
        self.ask(&["capture-pane", "-p"]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.ask(&["kill-server"]);
    }
}

fn is_there(program: &str) -> bool {
    let is_there = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let is_there = is_there.is_ok_and(|status| status.success());
    if !is_there {
        eprintln!("NOT TRIED: {program} is not here");
    }
    is_there
}

#[test]
fn after_scrolling_and_editing_the_columns_of_forty_scripts_stand_in_tmux() {
    if !is_there("tmux") {
        assert!(std::env::var_os("WARROOM_REQUIRE_SERVERS").is_none(), "tmux is not here");
        return;
    }
    let size = (160, 48);
    judge("tmux", size, Habits::default(), &mut Tmux::start(size, str::to_owned));
}

#[test]
fn after_scrolling_and_editing_the_columns_of_forty_scripts_stand_through_mosh() {
    if !is_there("tmux") || !is_there("mosh-server") {
        return;
    }
    let size = (160, 48);
    let mut terminal = Tmux::start(size, |prints| {
        let shell = ["new", "-i", "127.0.0.1", "-p", "60000:60999", "-l", "LC_ALL=C.UTF-8", "--", "sh", "-c", prints];
        let said = output("mosh-server", &shell).unwrap();
        let told = said.lines().find_map(|line| line.strip_prefix("MOSH CONNECT ")).expect("where to connect to");
        let (port, key) = told.split_once(' ').unwrap();
        format!("MOSH_KEY={key} MOSH_PREDICTION_DISPLAY=never exec mosh-client 127.0.0.1 {port}")
    });
    judge("mosh", size, Habits::default(), &mut terminal);
}

/// GNU screen, to which nobody is attached: 80 columns and 24 rows.
struct GnuScreen {
    folder: tempfile::TempDir,
    feed: Option<Feed>,
}

impl GnuScreen {
    fn ask(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("screen");
        command.arg("-U").args(arguments).env("SCREENDIR", self.folder.path().join("sockets"));
        command.env("LC_ALL", "C.UTF-8").env("SCREENRC", self.folder.path().join("rc")).stdin(Stdio::null());
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    /// A screen in which nothing runs yet.
    fn new(settings: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sockets")).unwrap();
        fs::set_permissions(folder.path().join("sockets"), fs::Permissions::from_mode(0o700)).unwrap();
        let rc = format!("startup_message off\ndefutf8 on\ndefencoding UTF-8\n{settings}\n");
        fs::write(folder.path().join("rc"), rc).unwrap();
        Self { folder, feed: None }
    }

    fn start(settings: &str) -> Self {
        let mut screen = Self::new(settings);
        let path = screen.folder.path().to_owned();
        screen.feed = Some(Feed::new(&path, |prints| {
            screen.ask(&["-dmS", "widths", "sh", "-c", prints]);
        }));
        screen
    }
}

impl GnuScreen {
    /// A byte of each cell: the low one of its letter, and 0xff for the second half of a wide one.
    fn rows(&self) -> Vec<String> {
        let copy = self.folder.path().join("copy");
        let _ = fs::remove_file(&copy);
        let mut bytes = Vec::new();
        until("a copy of the screen", || {
            // Until its window is there, screen forgets what it is asked.
            self.ask(&["-S", "widths", "-X", "hardcopy", copy.to_str().unwrap()]);
            bytes = fs::read(&copy).unwrap_or_default();
            bytes.iter().filter(|byte| **byte == b'\n').count() >= 24
        });
        bytes
            .split(|byte| *byte == b'\n')
            .take(24)
            .map(|row| row.iter().map(|byte| char::from(*byte)).collect())
            .collect()
    }
}

impl Terminal for GnuScreen {
    fn after(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut feed = self.feed.take().unwrap();
        feed.write(bytes, ("\x1bk", "\x1b\\"), || self.ask(&["-S", "widths", "-Q", "title"]));
        self.feed = Some(feed);
        self.rows()
    }
}

impl Drop for GnuScreen {
    fn drop(&mut self) {
        self.ask(&["-S", "widths", "-X", "quit"]);
    }
}

#[test]
fn after_scrolling_and_editing_the_columns_of_forty_scripts_stand_in_gnu_screen() {
    if !is_there("screen") {
        return;
    }
    judge("screen", (80, 24), Habits::default(), &mut GnuScreen::start(""));
}

#[test]
fn after_scrolling_and_editing_the_columns_stand_in_a_terminal_that_draws_wide_what_is_ambiguous() {
    if !is_there("screen") {
        return;
    }
    let habits = Habits { draws_wide: true, ..Habits::default() };
    judge("screen with cjkwidth", (80, 24), habits, &mut GnuScreen::start("cjkwidth on"));
}

#[test]
fn a_console_in_a_terminal_that_draws_lines_wide_draws_them_in_ascii_and_says_so() {
    if !is_there("screen") {
        return;
    }
    let host = Host::new();
    host.declare();
    host.run(&["note", "支付 café"]);
    let screen = GnuScreen::new("cjkwidth on");
    let folders = host.folders().map(|(name, folder)| format!("{name}={folder}"));
    let console = [BINARY, "open", "INC-1", "--as", "dana"];
    let words = ["-dmS", "widths", "env", "-u", "SSH_CONNECTION", "-u", "SSH_TTY", &folders[0], &folders[1]];
    screen.ask(&[&words[..], &console].concat());
    // The low bytes of 支付, each with its second half.
    until("the note, and lines in ASCII", || {
        let rows = screen.rows();
        let has = |text: &str| rows.iter().any(|row| row.contains(text));
        has("+-") && has("\u{2f}\u{ff}\u{d8}\u{ff} cafe")
    });
    // What was said is among the messages (Ctrl+O), also when something else was said since; rows end anywhere.
    screen.ask(&["-S", "widths", "-X", "stuff", "\x0f"]);
    until("what was found out of the terminal", || {
        let words: String = screen.rows().concat().chars().filter(|letter| letter.is_ascii_alphabetic()).collect();
        words.contains("twocolumnswide")
    });
}

/// pyte, which is a module of Python.
struct Pyte(std::process::Child);

impl Terminal for Pyte {
    fn after(&mut self, bytes: &[u8]) -> Vec<String> {
        let stdin = self.0.stdin.as_mut().unwrap();
        stdin.write_all(&u32::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
        stdin.write_all(bytes).unwrap();
        let stdout = self.0.stdout.as_mut().unwrap();
        let mut length = [0; 4];
        stdout.read_exact(&mut length).unwrap();
        let mut text = vec![0; u32::from_be_bytes(length) as usize];
        stdout.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap().split('\n').map(|row| row.trim_end().to_owned()).collect()
    }
}

const PYTE: &str = "
import pyte, struct, sys
screen = pyte.Screen(160, 48)
stream = pyte.ByteStream(screen)
pipe, out = sys.stdin.buffer, sys.stdout.buffer
while head := pipe.read(4):
    stream.feed(pipe.read(struct.unpack('>I', head)[0]))
    text = '\\n'.join(screen.display).encode()
    out.write(struct.pack('>I', len(text)) + text)
    out.flush()
";

#[test]
fn after_scrolling_and_editing_the_columns_of_forty_scripts_stand_in_pyte() {
    let is_there = Command::new("python3").args(["-c", "import pyte"]).stderr(Stdio::null()).status();
    if !is_there.is_ok_and(|status| status.success()) {
        eprintln!("NOT TRIED: pyte is not here");
        return;
    }
    let mut command = Command::new("python3");
    command.args(["-c", PYTE]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = Pyte(command.spawn().unwrap());
    judge("pyte", (160, 48), Habits::default(), &mut terminal);
    drop(terminal.0.stdin.take());
    terminal.0.wait().unwrap();
}

#[test]
fn each_cluster_has_room_for_what_is_shown_of_it() {
    for script in &SCRIPTS {
        let all = clusters(script);
        assert!(all.len() >= 12, "{}: {}", script.0, all.len());
        for cluster in all {
            assert!(columns(&cluster) < usize::from(STEP), "{}: {cluster:?}", script.0);
        }
    }
}
