//! Objects in a JSON text that is not one object per line.

/// End of the JSON object that starts at `start`; `None` if it is incomplete.
fn end_of_object(text: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut position) = (0_usize, start);
    while position < text.len() {
        match text[position] {
            b'"' => position = end_of_string(text, position)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(position + 1);
                }
            }
            _ => {}
        }
        position += 1;
    }
    None
}

/// Position of the closing quote of the string that starts at `start`.
fn end_of_string(text: &[u8], start: usize) -> Option<usize> {
    let mut position = start + 1;
    loop {
        position += memchr::memchr2(b'"', b'\\', text.get(position..)?)?;
        if text[position] == b'"' {
            return Some(position);
        }
        position += 2;
    }
}

/// What stands in a text instead of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An object without its end, from this position.
    Incomplete(usize),
    /// Something else than an object among objects, from this position.
    Other(usize),
}

/// Length of the whole objects of a text.
pub fn whole(text: &[u8]) -> usize {
    parts(text)
        .take_while(|part| !matches!(part, Err(Fault::Incomplete(_))))
        .filter_map(Result::ok)
        .last()
        .map_or(0, |(start, object)| start + object.len())
}

/// The objects of a text with their positions, also those in the array of `{"records":[…]}`.
pub fn parts(text: &[u8]) -> impl Iterator<Item = Result<(usize, &[u8]), Fault>> {
    let (mut position, mut checked) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            let found = memchr::memchr(b'{', text.get(position..)?);
            let start = found.map_or(text.len(), |found| position + found);
            if let Some(other) = other(&text[checked..start]) {
                let at = checked + other;
                let next = memchr::memchr(b',', &text[at..start]);
                checked = next.map_or(start, |next| at + next + 1);
                return Some(Err(Fault::Other(at)));
            }
            found?;
            if let Some(length) = head_of_records(&text[start..]) {
                position = start + length;
                checked = position;
                continue;
            }
            let Some(end) = end_of_object(text, start) else {
                (position, checked) = (text.len(), text.len());
                return Some(Err(Fault::Incomplete(start)));
            };
            (position, checked) = (end, end);
            return Some(Ok((start, &text[start..end])));
        }
    })
}

/// Position of the first value that is no object, up to the end of the array.
fn other(gap: &[u8]) -> Option<usize> {
    let array = memchr::memchr(b']', gap).map_or(gap, |end| &gap[..end]);
    // Control characters and spaces, such as the record separator of RFC 7464.
    let separates = |byte: &u8| *byte <= b' ' || b",[".contains(byte);
    array.iter().position(|byte| !separates(byte))
}

/// Length of `{"records":[`, in which the objects of Azure's logs are.
fn head_of_records(text: &[u8]) -> Option<usize> {
    const HEAD: [&[u8]; 4] = [b"{", b"\"records\"", b":", b"["];
    let mut rest = text;
    for part in HEAD {
        rest = rest.trim_ascii_start();
        let (found, later) = rest.split_at_checked(part.len())?;
        if !found.eq_ignore_ascii_case(part) {
            return None;
        }
        rest = later;
    }
    Some(text.len() - rest.len())
}

/// End of the first object that ends after `length`.
pub fn end_after(text: &[u8], length: usize) -> Option<usize> {
    let ends = parts(text)
        .take_while(|part| !matches!(part, Err(Fault::Incomplete(_))))
        .filter_map(Result::ok);
    let mut ends = ends.map(|(start, object)| start + object.len());
    ends.find(|end| *end > length)
}

/// The objects of a text with their lines, numbered from `first_line`.
pub fn numbered(
    text: &[u8],
    first_line: u64,
) -> impl Iterator<Item = (u64, Result<&[u8], String>)> {
    let (mut line, mut counted) = (first_line, 0);
    parts(text).map(move |part| {
        let (start, object) = match part {
            Ok((start, object)) => (start, Ok(object)),
            Err(Fault::Incomplete(start)) => (start, Err("is an incomplete JSON object".into())),
            Err(Fault::Other(start)) => (start, Err("is not a JSON object".into())),
        };
        line += memchr::memchr_iter(b'\n', &text[counted..start]).count() as u64;
        counted = start;
        (line, object)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_end_where_their_braces_close() {
        let text = br#"{"a":"}\"{"}, {"b":[{"c":1}]}]}  "#;
        let objects: Vec<_> = parts(text).map(|part| part.unwrap().1.len()).collect();
        assert_eq!(objects, [12, 15]);
        assert_eq!(whole(text), 29);
    }

    #[test]
    fn incomplete_objects_are_excluded() {
        let text = br#"{"a":1},{"b":"x\"#;
        assert_eq!(whole(text), 7);
        assert_eq!(parts(text).last(), Some(Err(Fault::Incomplete(8))));
        assert_eq!(whole(b"[ , "), 0);
    }

    #[test]
    fn objects_are_also_in_the_arrays_of_documents() {
        let text = br#"{"records":[{"a":1}]}{ "Records" : [{"a":2},{"a":3}] , "count":2} {"b":4}"#;
        let objects: Vec<_> = parts(text).map(|part| part.unwrap().1.len()).collect();
        assert_eq!(objects, [7, 7, 7, 7]);
        assert_eq!(whole(br#"{"records":[{"a":1}]}{"rec"#), 19);
        assert_eq!(whole(br#"{"records":[{"a":1}]}{"records":["#), 19);
        assert_eq!(parts(br#"{"records":[]}"#).next(), None);
    }

    #[test]
    fn values_that_are_no_objects_are_faults() {
        let text = br#"{"a":1},null,[5],{"a":2} junk {"a":3}],"n":1"#;
        let faults: Vec<_> = parts(text).filter_map(Result::err).collect();
        assert_eq!(faults, [8, 14, 25].map(Fault::Other));
        assert_eq!(parts(b"[1").next(), Some(Err(Fault::Other(1))));
    }
}
