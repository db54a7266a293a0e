//! ARNs in 24 bytes each.

use std::cmp::Ordering;
use std::collections::HashMap;

/// ARNs that are kept short: most of them differ in the last 32 hexadecimal digits alone.
#[derive(Debug, Default)]
pub(super) struct Arns {
    /// Their beginnings, or all of an ARN.
    heads: Vec<Box<str>>,
    /// The number of each.
    numbers: HashMap<Box<str>, u32>,
}

/// An ARN of [`Arns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn {
    head: u32,
    /// The digits after it; `None` if there are none.
    id: Option<[u8; 16]>,
}

impl Arns {
    /// Adds an ARN.
    pub(super) fn add(&mut self, arn: &str) -> Arn {
        let (head, id) = split(arn).map_or((arn, None), |(head, id)| (head, Some(id)));
        let head = match self.numbers.get(head) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
                self.heads.push(head.into());
                self.numbers.insert(head.into(), number);
                number
            }
        };
        Arn { head, id }
    }

    /// Returns an ARN as it was added.
    pub(super) fn text(&self, arn: Arn) -> String {
        let head = self.head(arn);
        arn.id
            .map_or_else(|| head.to_owned(), |id| format!("{head}{:032x}", u128::from_be_bytes(id)))
    }

    /// Compares two ARNs, in an order that depends on nothing else.
    pub(super) fn cmp(&self, one: Arn, other: Arn) -> Ordering {
        match one.head == other.head {
            true => one.id.cmp(&other.id),
            false => (self.head(one), one.id).cmp(&(self.head(other), other.id)),
        }
    }

    fn head(&self, arn: Arn) -> &str {
        self.heads.get(arn.head as usize).map_or("", |head| head)
    }
}

/// Splits an ARN that ends in 32 hexadecimal digits, from which it can be written again.
fn split(arn: &str) -> Option<(&str, [u8; 16])> {
    let (head, digits) = arn.split_at_checked(arn.len().checked_sub(32)?)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !digits.bytes().all(is_digit) {
        return None;
    }
    Some((head, u128::from_str_radix(digits, 16).ok()?.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_comes_back_as_it_was() {
        let head = "arn:aws:sagemaker:eu-west-1:123456789012:artifact/";
        let mut texts: Vec<_> = [
            "00c9a21efe8789766abd4aeb957bc688",
            "a1c9a21efe8789766abd4aeb957bc688",
            "A1C9A21EFE8789766ABD4AEB957BC688",
            "+1c9a21efe8789766abd4aeb957bc688",
            "1",
            "",
            "\u{e9}1c9a21efe8789766abd4aeb957bc688",
        ]
        .map(|id| format!("{head}{id}"))
        .into();
        texts.extend([String::new(), "00c9a21efe8789766abd4aeb957bc688".to_owned()]);
        let mut arns = Arns::default();
        let added: Vec<_> = texts.iter().map(|text| arns.add(text)).collect();
        for (at, arn) in added.iter().enumerate() {
            assert_eq!(arns.text(*arn), texts[at]);
            assert_eq!(arns.add(&texts[at]), *arn);
            for (other, another) in added.iter().enumerate() {
                assert_eq!(at == other, arns.cmp(*arn, *another).is_eq(), "{at} {other}");
            }
        }
        assert!(arns.cmp(added[0], added[1]).is_lt());
        assert!(arns.cmp(added[1], added[0]).is_gt());
    }
}
