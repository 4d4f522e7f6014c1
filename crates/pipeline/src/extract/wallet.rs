//! alphanumeric token → wallet address, by its checksum. Deliberately absent: balances, networks, anything online.

use sha2::{Digest, Sha256};
use tiny_keccak::{Hasher, Keccak};

/// The wallet a token is. `in_context` (it stands where a miner takes its user): a Monero address is taken by
/// its structure alone, since reports and configurations often mistype a character.
pub(crate) fn wallet(token: &str, in_context: bool) -> Option<&str> {
    let bytes = token.as_bytes();
    match bytes.len() {
        95 | 106 if matches!(bytes[0], b'4' | b'8') => monero(bytes, in_context).then_some(token),
        42 if bytes.starts_with(b"0x") && bytes[2..].iter().all(u8::is_ascii_hexdigit) => {
            // a constant such as 0x000…0 is no address
            (bytes[2..].iter().filter(|b| **b != b'0').count() >= 10 && (in_context || eip55(&bytes[2..])))
                .then_some(token)
        }
        26..=36 if bytes[0].is_ascii_alphanumeric() => base58check(bytes).then_some(token),
        42..=90 if SEGWIT.iter().any(|it| bytes.get(..it.len()).is_some_and(|head| head.eq_ignore_ascii_case(it))) => {
            bech32::segwit::decode(token).is_ok().then_some(token)
        }
        _ => None,
    }
}

/// Bitcoin, Litecoin, Vertcoin, Groestlcoin.
const SEGWIT: &[&[u8]] = &[b"bc1", b"ltc1", b"vtc1", b"grs1"];

/// Ethereum's checksum is the case of its letters; in one case there is none.
fn eip55(digits: &[u8]) -> bool {
    let lower = digits.to_ascii_lowercase();
    if lower == digits || digits.iter().all(|b| !b.is_ascii_lowercase()) {
        return true;
    }
    let hash = keccak(&lower);
    digits.iter().zip(0..).all(|(digit, at): (&u8, usize)| {
        let nibble = hash[at / 2] >> (4 * (1 - at % 2)) & 15;
        !digit.is_ascii_alphabetic() || digit.is_ascii_uppercase() == (nibble > 7)
    })
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0u8; 32];
    let mut keccak = Keccak::v256();
    keccak.update(bytes);
    keccak.finalize(&mut hash);
    hash
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

const fn digits() -> [u8; 256] {
    let mut table = [255u8; 256];
    let mut at = 0;
    while at < 58 {
        table[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    table
}

static DIGITS: [u8; 256] = digits();

/// Base58 as one big number of `N` bytes; `None` where it does not fit or a character is not base58.
fn base58<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0u8; N];
    for byte in text {
        let mut carry = match DIGITS[*byte as usize] {
            255 => return None,
            digit => u32::from(digit),
        };
        for slot in out.iter_mut().rev() {
            carry += u32::from(*slot) * 58;
            *slot = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(out)
}

/// Bitcoin, Litecoin, Dogecoin, TRON … (25 bytes) and Zcash (26): version, hash, four bytes of double SHA-256.
fn base58check(text: &[u8]) -> bool {
    // Mixed case and digits first: most identifiers fail here, before any arithmetic.
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    if !(has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)) {
        return false;
    }
    let checked = |payload: &[u8]| {
        let (body, sum) = payload.split_at(payload.len() - 4);
        body.iter().any(|b| *b != 0) && Sha256::digest(Sha256::digest(body))[..4] == *sum
    };
    base58::<25>(text).is_some_and(|it| checked(&it))
        || (text[0] == b't' && base58::<26>(text).is_some_and(|it| checked(&it)))
}

/// Blocks of 11 characters are 8 bytes each; the last one of 7 is 5, of 9 is 6 … The last four bytes are Keccak-256.
fn monero(text: &[u8], structure_alone: bool) -> bool {
    if text.iter().any(|b| DIGITS[*b as usize] == 255) {
        return false;
    }
    if structure_alone {
        return true;
    }
    let mut payload = Vec::with_capacity(77);
    for block in text.chunks(11) {
        match block.len() {
            11 => match base58::<8>(block) {
                Some(bytes) => payload.extend_from_slice(&bytes),
                None => return false,
            },
            7 => match base58::<5>(block) {
                Some(bytes) => payload.extend_from_slice(&bytes),
                None => return false,
            },
            _ => return false,
        }
    }
    let (body, sum) = payload.split_at(payload.len() - 4);
    keccak(body)[..4] == *sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Public documentation addresses: the Monero project's donation address, Bitcoin's first block,
    /// BIP 173's example.
    const MONERO: &str =
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A";

    #[test]
    fn an_address_is_known_by_its_checksum() {
        assert_eq!(wallet(MONERO, false), Some(MONERO));
        assert!(wallet("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false).is_some());
        assert!(wallet("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", false).is_some());
        assert!(wallet("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", false).is_some());
        assert!(wallet("0x52908400098527886E0F7030069857D2E4169EE7", false).is_some());
    }

    #[test]
    fn a_changed_character_is_no_address() {
        let broken = MONERO.replacen("44AFF", "44AFG", 1);
        assert_eq!(wallet(&broken, false), None);
        assert!(wallet(&broken, true).is_some(), "where a miner takes its user, the structure is enough");
        assert_eq!(wallet("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false), None);
        assert_eq!(wallet("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", false), None);
        assert_eq!(wallet("0x0000000000000000000000000000000000000001", false), None);
        assert_eq!(wallet("11111111111111111111111111111", false), None);
    }
}
