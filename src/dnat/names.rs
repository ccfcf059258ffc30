//! The names of forward entries: nothing else says whose an entry is, for entries have no tags.
//!
//! `eipd-<12 of the cluster's uid>-<record uid>-<n>`: a letter first, and well under the 128 characters that the cloud
//! takes (`CreateForwardEntry`, `ForwardEntryName`).

use crate::domain::ids::{ClusterUid, Uid};

/// So many characters of the cluster's uid, hyphens left out, tell it from the others of the account.
const CLUSTER: usize = 12;

/// What the names of all entries of this cluster begin with.
pub fn prefix(cluster: &ClusterUid) -> String {
    let mark = cluster.as_str().chars().filter(|c| *c != '-');
    format!("eipd-{}-", mark.take(CLUSTER).collect::<String>())
}

/// The name of the record's n-th entry.
pub fn name(cluster: &ClusterUid, record: &Uid, n: usize) -> String {
    format!("{}{record}-{n}", prefix(cluster))
}

/// The record, and which of its entries; `None`: not of this cluster.
pub fn parse(cluster: &ClusterUid, name: &str) -> Option<(Uid, usize)> {
    let (record, n) = name.strip_prefix(&prefix(cluster))?.rsplit_once('-')?;
    let digits = n.bytes().all(|byte| byte.is_ascii_digit());
    let n = n.parse().ok().filter(|_| digits)?;
    (!record.is_empty()).then(|| (Uid::new(record), n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_others_do_not() {
        let cluster = ClusterUid::new("7af54e1c-eeb7-4fd0-b070-ff99ddbd0001");
        let record = Uid::new("2fad9bb7-cc84-46b4-b6eb-5d15f06c0002");
        let text = name(&cluster, &record, 12);
        assert_eq!(
            text,
            "eipd-7af54e1ceeb7-2fad9bb7-cc84-46b4-b6eb-5d15f06c0002-12"
        );
        assert!(text.len() <= 128);
        assert_eq!(parse(&cluster, &text), Some((record, 12)));
        assert_eq!(parse(&ClusterUid::new("another-cluster"), &text), None);
        for odd in [
            "",
            "web",
            "eipd-7af54e1ceeb7-",
            "eipd-7af54e1ceeb7--1",
            "eipd-7af54e1ceeb7-x-+1",
        ] {
            assert_eq!(parse(&cluster, odd), None, "{odd}");
        }
    }
}
