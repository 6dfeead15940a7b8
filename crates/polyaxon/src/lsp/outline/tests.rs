//! Half-typed texts, brackets, quotes, line ends.

use super::*;

/// The structure as `name=value` with children in braces.
fn shape(outline: &Outline, text: &str, id: usize) -> String {
    let entry = outline.entry(id);
    let label = match entry.role {
        Role::Root => String::new(),
        Role::Key => format!("{}=", entry.name),
        Role::Item => "-".to_owned(),
        Role::Word => format!("?{}", entry.name),
    };
    let value = outline.scalar(id, text).unwrap_or_default();
    let children: Vec<String> = entry.children.iter().map(|child| shape(outline, text, *child)).collect();
    let children = if children.is_empty() { String::new() } else { format!("{{{}}}", children.join(" ")) };
    format!("{label}{value}{children}")
}

#[test]
fn texts_have_a_structure_even_when_they_are_broken() {
    for (text, expected) in [
        ("", ""),
        ("kind: job # x\nname: 'a b'\n", "{kind=job name=a b}"),
        ("run:\r\n  kind: job\r\n  con", "{run={kind=job ?con}}"),
        ("inputs:\n- name: a\n  type: int\n- name: b\nrun:", "{inputs={-{name=a type=int} -{name=b}} run=}"),
        ("inputs:\n  - {name: a, ty\nrun: {}", "{inputs={-{name=a ?ty}} run=}"),
        ("a: [x, \"y\", {k: v}]\nb: 1", "{a={-x -y -{k=v}} b=1}"),
        ("{\"kind\": \"job\", \"a\": [1, {\"b\"", "{kind=job a={-1 -{?b}}}"),
        ("a: |\n  x: 1\n\n  y\nb: \"{{ x", "{a=|\n  x: 1\n\n  y b={{ x}"),
        ("a: {{ x }}\nb: &anchor !!str c", "{a={{ x }} b=c}"),
        ("- - a\n  - b", "{-{-a -b}}"),
        ("a: {\n  b: c,\n  d: {{ e }}\n}\nf: g", "{a={b=c d={{ e }}} f=g}"),
        ("'q: k': 1\n\"", "{q: k=1 ?\"}"),
        (": :\n:\n{}[", "{?: : ?:}"),
        ("url: http://a:80\nx", "{url=http://a:80 ?x}"),
    ] {
        assert_eq!(shape(&read(text), text, ROOT), expected, "{text:?}");
    }
}

#[test]
fn slots_are_found_by_indentation() {
    // `|` is the cursor.
    for (marked, expected) in [
        ("|", "key of  ''"),
        ("ki|", "key of  'ki'"),
        ("ki|nd: job", "key of  'kind:'"),
        ("kind: |", "value of kind ''"),
        ("kind: jo|b", "value of kind 'job'"),
        ("kind: job |", "none"),
        ("# a |", "none"),
        ("run:\n  |", "key of run ''"),
        ("run:\n|", "key of  ''"),
        ("run:\n  kind: job\n  |\n  container: {}", "key of run ''"),
        ("inputs:\n- name: a\n  |", "key of - ''"),
        ("inputs:\n- name: a\n- |", "value of - ''"),
        ("inputs:\n- na|", "value of - 'na'"),
        ("run: {kind: |", "value of kind ''"),
        ("run: {kind: job, |}", "key of run ''"),
        ("run: {kind: job, co|}", "key of run 'co'"),
        ("a: [|]", "item of a"),
        ("a: [x, |", "item of a"),
        ("a: {b: {}}|", "none"),
        ("a: \"x {{ |", "value of a 'x {{'"),
        ("a: |-\n  text |", "key of  ''"),
    ] {
        let offset = marked.rfind('|').unwrap();
        let text = format!("{}{}", &marked[..offset], &marked[offset + 1..]);
        let outline = read(&text);
        let name = |id: usize| match outline.entry(id).role {
            Role::Item => "-".to_owned(),
            _ => outline.entry(id).name.clone(),
        };
        let shown = match slot(&outline, &text, offset) {
            None => "none".to_owned(),
            Some(Slot::Key { parent, word, is_complete }) => {
                format!("key of {} '{}{}'", name(parent), &text[word], if is_complete { ":" } else { "" })
            }
            Some(Slot::Value { entry, word }) => format!("value of {} '{}'", name(entry), &text[word]),
            Some(Slot::Item { list }) => format!("item of {}", name(list)),
        };
        if marked.starts_with("a: |-") {
            // Inside of a block of text.
            assert!(shown.starts_with("value of a"), "{marked:?}: {shown}");
        } else if marked.starts_with("a: \"x") {
            assert!(shown.starts_with("value of a") || shown == "none", "{marked:?}: {shown}");
        } else {
            assert_eq!(shown, expected, "{marked:?}");
        }
    }
}

#[test]
fn no_text_and_no_place_breaks_the_reader() {
    let texts = [
        "run: {kind: job, container: {image: 'é', args: [\"{{ lr }}\", - x]}}\r\ninputs:\r\n - {name: 😀\r\n\tx: 'y",
        "\"a\\",
        "a: \"b\n  c\"\n- - -\n? x\n: y\n",
        "é: |\n ü\n]}",
    ];
    for text in texts {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let outline = read(&text[..end]);
            for offset in (0..=end).filter(|offset| text.is_char_boundary(*offset)) {
                slot(&outline, &text[..end], offset);
            }
        }
    }
    read(&"[".repeat(100_000));
    read(&"- ".repeat(10_000));
}
