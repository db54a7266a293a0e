//! `NextToken`: where a page ended, so that the next begins in constant time.

use crate::registry::wire::ApiError;

/// The place of the last artifact of a page in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageToken {
    /// Milliseconds since 1970.
    pub(super) created: i64,
    pub(super) row: i64,
}

impl PageToken {
    /// Returns the token as text, which means nothing to clients.
    pub(super) fn encode(self) -> String {
        format!("v1.{:x}.{:x}", self.created, self.row)
    }

    pub(super) fn decode(text: &str) -> Result<Self, ApiError> {
        let parse = || {
            let (created, row) = text.strip_prefix("v1.")?.split_once('.')?;
            let number = |digits: &str| i64::from_str_radix(digits, 16).ok();
            Some(Self { created: number(created)?, row: number(row)? })
        };
        parse().ok_or_else(|| ApiError::validation("Invalid NextToken"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_others_are_refused() {
        let token = PageToken { created: 1_790_000_000_123, row: 77 };
        assert_eq!(PageToken::decode(&token.encode()), Ok(token));
        for text in ["", "v1.", "v1.zz.1", "v2.1.1", "v1.1"] {
            assert!(PageToken::decode(text).is_err(), "{text}");
        }
    }
}
