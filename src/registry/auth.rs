//! SigV4 in form. Nobody's secret is known here, so the signature itself is not checked.

use axum::http::{HeaderMap, header};

use super::wire::ApiError;

/// The sender of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) region: String,
}

/// Reads the `Authorization` header.
pub(super) fn caller(headers: &HeaderMap) -> Result<Caller, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::new(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ));
    };
    let incomplete = |what: &str| {
        let message = format!("Authorization header requires {what}.");
        ApiError::new(403, "IncompleteSignatureException", message)
    };
    let value = value.to_str().map_err(|_| incomplete("ASCII text"))?;
    let parts = value
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| incomplete("the algorithm 'AWS4-HMAC-SHA256'"))?;
    let part = |name: &str| {
        parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let credential = part("Credential").ok_or_else(|| incomplete("'Credential' parameter"))?;
    part("SignedHeaders").ok_or_else(|| incomplete("'SignedHeaders' parameter"))?;
    let signature = part("Signature").ok_or_else(|| incomplete("'Signature' parameter"))?;
    let hex = signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex {
        return Err(incomplete("a 'Signature' of 64 hexadecimal digits"));
    }
    // Access keys have no `/`; the scope behind them has four parts.
    let scope: Vec<&str> = credential.rsplitn(5, '/').collect();
    match scope.as_slice() {
        ["aws4_request", "sagemaker", region, date, key]
            if !key.is_empty()
                && date.len() == 8
                && date.bytes().all(|b| b.is_ascii_digit())
                && !region.is_empty() =>
        {
            Ok(Caller { region: (*region).to_owned() })
        }
        _ => Err(ApiError::new(
            403,
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'sagemaker'.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        if !value.is_empty() {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        caller(&headers).map(|caller| caller.region).map_err(|error| error.code)
    }

    #[test]
    fn only_the_form_of_a_signature_is_asked_for() {
        let signature = "a".repeat(64);
        let signed = |scope: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}"
            )
        };
        let good = signed("AKIA/20261123/eu-west-1/sagemaker/aws4_request");
        assert_eq!(code(&good), Ok("eu-west-1".to_owned()));
        assert_eq!(code(""), Err("MissingAuthenticationTokenException"));
        assert_eq!(code("Basic eA=="), Err("IncompleteSignatureException"));
        assert_eq!(code(&good.replace("aaaa", "zzzz")), Err("IncompleteSignatureException"));
        let other = signed("AKIA/20261123/eu-west-1/s3/aws4_request");
        assert_eq!(code(&other), Err("InvalidSignatureException"));
    }
}
