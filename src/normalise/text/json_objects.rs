//! Objects in a JSON text that is no list of lines.

/// Where the JSON object ends that begins at `start`; `None` if it is not whole.
fn end_of_object(text: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut place) = (0_usize, start);
    while place < text.len() {
        match text[place] {
            b'"' => place = end_of_string(text, place)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            _ => {}
        }
        place += 1;
    }
    None
}

/// Place of the quote that ends the string which begins at `start`.
fn end_of_string(text: &[u8], start: usize) -> Option<usize> {
    let mut place = start + 1;
    loop {
        place += memchr::memchr2(b'"', b'\\', text.get(place..)?)?;
        if text[place] == b'"' {
            return Some(place);
        }
        place += 2;
    }
}

/// Length of the part of a text that holds whole objects.
pub fn whole(text: &[u8]) -> usize {
    parts(text)
        .take_while(Result::is_ok)
        .filter_map(Result::ok)
        .last()
        .map_or(0, |(start, object)| start + object.len())
}

/// The objects of a text, with their places; what is not whole at its end is an error.
pub fn parts(text: &[u8]) -> impl Iterator<Item = Result<(usize, &[u8]), usize>> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let start = place + memchr::memchr(b'{', text.get(place..)?)?;
        let Some(end) = end_of_object(text, start) else {
            place = text.len();
            return Some(Err(start));
        };
        place = end;
        Some(Ok((start, &text[start..end])))
    })
}

/// The end of the first object that reaches beyond `length`.
pub fn end_after(text: &[u8], length: usize) -> Option<usize> {
    let ends = parts(text).map_while(Result::ok);
    let mut ends = ends.map(|(start, object)| start + object.len());
    ends.find(|end| *end > length)
}

/// The objects of a text that begins at the given line, with their lines.
pub fn numbered(
    text: &[u8],
    first_line: u64,
) -> impl Iterator<Item = (u64, Result<&[u8], String>)> {
    let (mut line, mut seen) = (first_line, 0);
    parts(text).map(move |part| {
        let (Ok((start, _)) | Err(start)) = part;
        line += memchr::memchr_iter(b'\n', &text[seen..start]).count() as u64;
        seen = start;
        let cut = |_| "begins a JSON object that does not end".to_owned();
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
    fn what_is_not_whole_waits_for_more() {
        let text = br#"{"a":1},{"b":"x\"#;
        assert_eq!(whole(text), 7);
        assert_eq!(parts(text).last(), Some(Err(8)));
        assert_eq!(whole(b"[ , "), 0);
    }
}
