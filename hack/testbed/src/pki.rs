//! Who may talk to the control plane: bearer tokens for everybody, a key for service accounts, a certificate by which the
//! API server is known to the kubelets.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::command::{CommandError, run};

/// Why the files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// The files of one cluster, below one folder.
#[derive(Debug, Clone)]
pub struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// Makes tokens for an administrator, the control plane and `nodes`, and the keys.
    pub fn create(dir: &Path, nodes: &[String]) -> Result<Self, PkiError> {
        let pki = Self {
            dir: dir.to_owned(),
        };
        fs::create_dir_all(dir).map_err(|source| PkiError::File {
            path: dir.to_owned(),
            source,
        })?;
        pki.write_tokens(nodes)?;
        let (key, certificate) = (pki.text("sa.key"), pki.text("kubelet-client.crt"));
        // In the old form, "EC PRIVATE KEY": out of the other one the API server reads no public key.
        run(
            "openssl",
            &[
                "ecparam",
                "-name",
                "prime256v1",
                "-genkey",
                "-noout",
                "-out",
                &key,
            ],
        )?;
        let client_key = pki.text("kubelet-client.key");
        let curve = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
        ];
        let subject = [
            "-subj",
            "/O=system:masters/CN=kube-apiserver",
            "-keyout",
            &client_key,
            "-out",
            &certificate,
        ];
        run(
            "openssl",
            &[&["req", "-x509"], &curve[..], &subject[..]].concat(),
        )?;
        Ok(pki)
    }

    /// A file's path as an argument.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    /// The CA that signed the API server's certificate: the API server writes both into one file.
    #[must_use]
    pub fn ca(&self) -> String {
        self.text("apiserver/apiserver.crt")
    }

    /// The kubeconfig of `user` (admin, controller-manager, scheduler, or a node's name).
    pub fn kubeconfig(&self, user: &str, server: &str) -> Result<PathBuf, PkiError> {
        let token = self.token(user)?;
        self.kubeconfig_with(user, server, &token)
    }

    /// A kubeconfig with a token from elsewhere, such as that of a `ServiceAccount`.
    pub fn kubeconfig_with(
        &self,
        user: &str,
        server: &str,
        token: &str,
    ) -> Result<PathBuf, PkiError> {
        let path = self.dir.join(format!("{user}.kubeconfig"));
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "eipd",
            "clusters": [{"name": "eipd", "cluster": {"server": server, "certificate-authority": self.ca()}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "eipd", "context": {"cluster": "eipd", "user": user}}],
        });
        write_secret(&path, &format!("{config:#}\n"))?;
        Ok(path)
    }

    fn token(&self, user: &str) -> Result<String, PkiError> {
        let path = self.dir.join("tokens.csv");
        let table = fs::read_to_string(&path).map_err(|source| PkiError::File {
            path: path.clone(),
            source,
        })?;
        let line = table
            .lines()
            .find(|line| line.split(',').nth(2) == Some(user));
        let token = line.and_then(|line| line.split(',').next());
        token.map(str::to_owned).ok_or_else(|| PkiError::File {
            path,
            source: io::Error::other(user.to_owned()),
        })
    }

    /// The third column, the uid, is the name that `token` looks for.
    fn write_tokens(&self, nodes: &[String]) -> Result<(), PkiError> {
        let mut lines = vec![format!("{},admin,admin,\"system:masters\"", random()?)];
        for component in ["controller-manager", "scheduler"] {
            lines.push(format!(
                "{},system:kube-{component},{component},",
                random()?
            ));
        }
        for node in nodes {
            lines.push(format!(
                "{},system:node:{node},{node},\"system:nodes\"",
                random()?
            ));
        }
        let table = lines.join("\n") + "\n";
        write_secret(&self.dir.join("tokens.csv"), &table)
    }
}

fn random() -> Result<String, PkiError> {
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0_u8; 16];
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|source| PkiError::File { path, source })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// For the owner's eyes only.
fn write_secret(path: &Path, text: &str) -> Result<(), PkiError> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true).mode(0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| PkiError::File {
        path: path.to_owned(),
        source,
    })
}
