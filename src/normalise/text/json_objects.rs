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

/// Length of the whole objects of a text.
pub fn whole(text: &[u8]) -> usize {
    parts(text)
        .take_while(Result::is_ok)
        .filter_map(Result::ok)
        .last()
        .map_or(0, |(start, object)| start + object.len())
}

/// The objects of a text with their positions; an incomplete one at the end is an error.
pub fn parts(text: &[u8]) -> impl Iterator<Item = Result<(usize, &[u8]), usize>> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let start = position + memchr::memchr(b'{', text.get(position..)?)?;
        let Some(end) = end_of_object(text, start) else {
            position = text.len();
            return Some(Err(start));
        };
        position = end;
        Some(Ok((start, &text[start..end])))
    })
}

/// End of the first object that ends after `length`.
pub fn end_after(text: &[u8], length: usize) -> Option<usize> {
    let ends = parts(text).map_while(Result::ok);
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
        let (Ok((start, _)) | Err(start)) = part;
        line += memchr::memchr_iter(b'\n', &text[counted..start]).count() as u64;
        counted = start;
        let cut = |_| "is an incomplete JSON object".to_owned();
        (line, part.map(|(_, object)| object).map_err(cut))
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
        assert_eq!(parts(text).last(), Some(Err(8)));
        assert_eq!(whole(b"[ , "), 0);
    }
}
