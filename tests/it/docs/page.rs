//! A page of the documentation as its blocks, with what its comments say about them.
//!
//! In: Markdown. Out: [`Block`]s. The comments are described in CONTRIBUTING.md.

/// A fenced block.
#[derive(Debug, Default)]
pub struct Block {
    /// The line of its opening fence, counted from 1.
    pub line: usize,
    /// The word behind the fence.
    pub language: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// The comments in front of it, in order.
    pub notes: Vec<Note>,
}

/// A comment that is about the next block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `<!-- not run: REASON -->`
    NotRun(String),
    /// `<!-- needs: PROGRAM -->`: run only where this program is installed.
    Needs(String),
    /// `<!-- file: NAME -->`: the block is the content of this file.
    File(String),
    /// `<!-- directory: empty -->`, `manifests` or `inventories`: begins a new directory.
    Directory(Start),
    /// `<!-- before: COMMANDS -->`: commands that the page does not show.
    Before(String),
}

/// The initial content of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Empty,
    /// The repository's `manifests`.
    Manifests,
    /// What is in `tests/fixtures/inventories`.
    Inventories,
}

/// Returns the blocks of the page `text`.
///
/// # Panics
/// On a fence that is not closed, and on a comment that names no known directory.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut notes = Vec::new();
    let mut comment: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(block) = &mut open {
            if line.trim_end() == "```" {
                blocks.extend(open.take());
            } else {
                block.lines.push(line.to_owned());
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let language = language.trim().to_owned();
            let notes = std::mem::take(&mut notes);
            open = Some(Block { line: number + 1, language, notes, ..Block::default() });
        } else if comment.is_some() || line.starts_with("<!--") {
            let text = comment.get_or_insert_default();
            text.push_str(line);
            text.push('\n');
            if line.trim_end().ends_with("-->") {
                notes.extend(comment.take().as_deref().and_then(note));
            }
        }
    }
    assert!(open.is_none(), "a block is not closed: {open:?}");
    blocks
}

/// Returns what `comment` says about a block, if it is about one.
fn note(comment: &str) -> Option<Note> {
    let inner = comment.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let (kind, text) = inner.trim().split_once(':')?;
    let text = text.trim().to_owned();
    Some(match (kind, text.as_str()) {
        ("not run", _) => Note::NotRun(text),
        ("needs", _) => Note::Needs(text),
        ("file", _) => Note::File(text),
        ("before", _) => Note::Before(text),
        ("directory", "empty") => Note::Directory(Start::Empty),
        ("directory", "manifests") => Note::Directory(Start::Manifests),
        ("directory", "inventories") => Note::Directory(Start::Inventories),
        ("directory", other) => {
            panic!("a directory is `empty`, `manifests` or `inventories`, not {other}")
        }
        _ => return None,
    })
}

/// A command of a console block, and the output that the page shows for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// The line of the block that it begins at, counted from 0.
    pub at: usize,
    /// The command as it is typed, without its prompt.
    pub command: String,
    /// The lines between it and the next command.
    pub output: Vec<String>,
}

/// Returns the commands of a console block: lines that begin with `$ `, and those that `\` or an
/// open quote continues.
///
/// # Panics
/// On output in front of the first command.
pub fn commands(block: &Block) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut continued = false;
    for (at, line) in block.lines.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ").filter(|_| !continued) {
            commands.push(Shown { at, command: command.to_owned(), output: Vec::new() });
            continued = continues(command);
            continue;
        }
        let last = commands.last_mut().expect("a console block begins with `$ ` and a command");
        if continued {
            last.command.push('\n');
            last.command.push_str(line);
            continued = continues(&last.command);
        } else {
            last.output.push(line.clone());
        }
    }
    commands
}

/// Returns whether the next line belongs to the command too.
fn continues(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

#[test]
fn comments_are_read_with_the_block_behind_them() {
    let text = "# Page\n<!-- by hand -->\n<!-- file: a.yaml -->\n```yaml\nA: 1\n```\n\n<!-- before:\ngit init\n-->\n\
                <!-- directory: empty -->\n```console\n$ a \\\n    b\nout\n$ c\n```\n```text\n```\n";
    let blocks = blocks(text);
    let notes: Vec<_> = blocks.iter().map(|block| block.notes.as_slice()).collect();
    assert_eq!(notes[0], [Note::File("a.yaml".to_owned())]);
    assert_eq!(notes[1], [Note::Before("git init".to_owned()), Note::Directory(Start::Empty)]);
    assert!(notes[2].is_empty());
    assert_eq!(blocks[1].line, 12);
    let shown = |at, command: &str, output: &[&str]| Shown {
        at,
        command: command.to_owned(),
        output: output.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(commands(&blocks[1]), [shown(0, "a \\\n    b", &["out"]), shown(3, "c", &[])]);
}
