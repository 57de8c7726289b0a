//! The node's end of the socket.

use super::{Answer, ControlError, LONGEST_LINE, PATIENCE, Request, View, socket};
use crate::{conditions::World, network::Network};
use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, Metadata, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// Connections at one time.
pub(super) const CONNECTIONS: usize = 8;

/// A directory that only its owner can look into, in which the socket is made. With the name in it,
/// it is no longer than the socket's own path.
const WORKSHOP: &str = ".control";

/// How long to wait when the system gives no connection: too many open files, perhaps.
const PAUSE: Duration = Duration::from_millis(100);

/// The listening socket. Its file is removed with the value.
#[derive(Debug)]
pub(crate) struct Server {
    path: PathBuf,
    file: Option<(u64, u64)>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens in `dir`, where no other node can run at the same time: a socket that lies there is
    /// a dead one's and is replaced.
    ///
    /// At no time can anybody but the owner open it: it is bound in a directory of mode 0700, given
    /// the mode 0600 there, and only then moved to its place. So nothing depends on the process'
    /// umask, which all threads share.
    pub(crate) fn open(dir: &Path, network: Network, world: World) -> Result<Server, ControlError> {
        let path = socket(dir)?;
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(ControlError::Occupied { path });
        }
        let listener = bind(&dir.join(WORKSHOP), &path)
            .map_err(|reason| ControlError::Listen { path: path.clone(), reason })?;
        let file = fs::symlink_metadata(&path).ok().as_ref().map(identity);
        let task = tokio::spawn(listen(listener, network, world));
        Ok(Server { path, file, task })
    }

    /// Hangs up on everybody and removes the socket.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // It ends by being aborted, and its connections with it.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        // A dropped node ends a moment later, and the next may have put its own socket there.
        let found = fs::symlink_metadata(&self.path).ok().as_ref().map(identity);
        if found.is_some() && found == self.file {
            // If it stays, the next node here replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What tells one file from another of the same name.
fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn bind(workshop: &Path, path: &Path) -> io::Result<UnixListener> {
    let draft = workshop.join("s");
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    // A node that was killed just here left them.
    gone(fs::remove_file(&draft))?;
    gone(fs::remove_dir(workshop))?;
    DirBuilder::new().mode(0o700).create(workshop)?;
    let listener = UnixListener::bind(&draft)?;
    fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
    fs::rename(&draft, path)?;
    fs::remove_dir(workshop)?;
    Ok(listener)
}

/// Serves whoever connects, until it is aborted.
async fn listen(listener: UnixListener, network: Network, world: World) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() < CONNECTIONS {
            connections.spawn(serve(stream, network.clone(), world.clone()));
        } else {
            let error = format!("{CONNECTIONS} others are connected; try again in a moment");
            // A fresh connection has room for a line, so this does not wait.
            let _ = timeout(PAUSE, answer(&mut stream, &Answer::Refused { error })).await;
        }
    }
}

/// Answers line after line, until the other side hangs up, says nothing for a while or says too
/// much.
async fn serve(mut stream: UnixStream, network: Network, world: World) {
    let (read, mut write) = stream.split();
    let mut reader = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LONGEST_LINE as u64 + 1);
        match timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0) | Err(_)) | Err(_) => return,
        }
        let reply = match line.len() {
            0..=LONGEST_LINE => perform(&line, &network, &world).await,
            _ => Err(format!("a line may have {LONGEST_LINE} bytes; this one has more")),
        };
        let reply = reply.map_or_else(|error| Answer::Refused { error }, Answer::Done);
        let answered = timeout(PATIENCE, answer(&mut write, &reply)).await;
        // Without its end, a line was the last, whether it was cut short by us or by them.
        if !matches!(answered, Ok(Ok(()))) || !line.ends_with(b"\n") {
            return;
        }
    }
}

async fn perform(line: &[u8], network: &Network, world: &World) -> Result<View, String> {
    let seats = match Request::parse(line)? {
        Request::Cut(seats) => Some(seats),
        Request::Heal => Some(BTreeSet::new()),
        Request::Status => None,
        Request::Conditions(conditions) => {
            tracing::info!("the world is another from now on, as told");
            world.tell(*conditions);
            None
        }
    };
    if let Some(seats) = seats {
        network.cut(&seats).await.map_err(|error| error.to_string())?;
    }
    let (cut, connected) = (network.cut_off(), network.connected());
    Ok(View { cut, connected, peers: network.seats() })
}

async fn answer(to: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer).expect("an answer is plain data");
    line.push(b'\n');
    to.write_all(&line).await
}
