//! What a pod asks now and its record does not give: settings that act only when an EIP is created.

use crate::api::kept;
use crate::cloud::vpc::AllocateArgs;
use crate::domain::pod::{Pod, Which};
use crate::domain::record::Record;

/// A text for each; none where the record froze the very same request.
pub fn texts(record: &Record, pod: &Pod, live_bandwidth: bool) -> Vec<String> {
    let (Some(frozen), Some(Which::Auto { request, .. })) = (
        record.request.as_deref(),
        pod.ask.wish().map(|wish| &wish.which),
    ) else {
        return Vec::new();
    };
    if frozen == request {
        return Vec::new();
    }
    let read = |text: &str| serde_json::from_str::<AllocateArgs>(text).ok();
    let (Some(frozen), Some(asked)) = (read(frozen), read(request)) else {
        return Vec::new(); // of another version of eipd: nothing that can be compared
    };
    let changes = kept::changes(&frozen, &asked);
    let reaches = live_bandwidth
        && record
            .made_with
            .is_none_or(|made| asked.bandwidth <= made.most);
    let bandwidth = changes.bandwidth_stays().filter(|_| !reaches);
    let all = changes.settings.iter().chain(bandwidth.iter());
    all.map(ToString::to_string).collect()
}
