//! An `AccessKey` from a mounted Secret: read anew when the cloud refuses the old one.

use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Configured, Keys, Source};

/// A folder with the files `accessKey` and `accessSecret`, as a volume of a Secret with these keys is.
#[derive(Debug, Clone)]
pub struct Mounted {
    pub folder: PathBuf,
}

impl Mounted {
    /// Small files of a memory-backed volume: read in place.
    fn read(&self) -> Result<Option<Keys>, String> {
        let configured = Configured {
            access_key_id: file(&self.folder, "accessKey")?,
            access_key_secret: file(&self.folder, "accessSecret")?.into(),
        };
        let place = self.folder.display();
        configured.read().map_err(|why| format!("{place}: {why}"))
    }
}

fn file(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|cause| format!("{}: {cause}", path.display()))
}

impl Source for Mounted {
    fn name(&self) -> &'static str {
        "the mounted Secret"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        std::future::ready(self.read()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn both_files_are_read_anew_each_time() {
        let folder = std::env::temp_dir().join(format!("eipd-mounted-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        let mounted = Mounted {
            folder: folder.clone(),
        };
        let missing = mounted.read().unwrap_err();
        assert!(missing.contains("accessKey"), "{missing}");
        write("accessKey", "LTAI1\n");
        write("accessSecret", "");
        let half = mounted.read().unwrap_err();
        assert!(half.contains("accessSecret"), "{half}");
        for secret in ["first", "second"] {
            write("accessSecret", &format!("{secret}\n"));
            let keys = mounted.read().unwrap().unwrap();
            assert_eq!(keys.access_key_id, "LTAI1");
            assert_eq!(keys.secret.expose_secret(), secret);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
