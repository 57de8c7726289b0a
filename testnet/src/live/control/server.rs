//! The running net's end of the socket.

use super::{Answer, LONGEST_REQUEST, Reason, Request, read_line, socket, write_line};
use crate::live::home::Place;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// How long somebody who connected may take to say something.
const LISTEN: Duration = Duration::from_secs(2);

/// The listening socket, whose file is removed with the value.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
}

impl Server {
    /// Listens for the net at `place` and lets `answer` answer, one request at a time, on a thread
    /// of its own. When it gives none, the net is ending and the thread ends too.
    ///
    /// Whoever calls holds the lock on the place, so a socket that lies there is a dead one's, and
    /// is replaced.
    ///
    /// # Errors
    ///
    /// If the path is too long for a socket, and whatever the system says.
    pub fn open(
        place: &Place,
        mut answer: impl FnMut(Request) -> Option<Answer> + Send + 'static,
    ) -> io::Result<Server> {
        let path = socket(place)?;
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        let server = Server { path };
        fs::set_permissions(&server.path, Permissions::from_mode(0o600))?;
        thread::Builder::new().name("control".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                match stream.map(|stream| serve(stream, &mut answer)) {
                    Ok(Served::Ending) => return,
                    // Who hangs up, or says nothing in time, is not waited for.
                    Ok(Served::Done) => {}
                    // Too many open files, perhaps: a moment later there may be fewer.
                    Err(_) => thread::sleep(LISTEN / 20),
                }
            }
        })?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it stays, the next testnet here replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

enum Served {
    Done,
    Ending,
}

/// One request, one answer.
fn serve(mut stream: UnixStream, answer: &mut impl FnMut(Request) -> Option<Answer>) -> Served {
    let line = match read_line(&mut stream, LONGEST_REQUEST, Instant::now() + LISTEN) {
        Ok(line) => Ok(line),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error.to_string()),
        Err(_) => return Served::Done,
    };
    let request = line.and_then(|line| parse(&line));
    let reply = match request {
        Ok(request) => match answer(request) {
            Some(reply) => reply,
            None => return Served::Ending,
        },
        Err(message) => Answer::Refused { reason: Reason::Input, message },
    };
    // It was done, whether or not the other side still listens.
    let _ = stream.set_write_timeout(Some(LISTEN)).and_then(|()| write_line(&mut stream, &reply));
    Served::Done
}

/// The request in a line.
pub(super) fn parse(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|error| {
        format!("this is no request: {error}; write it like {{\"command\":\"kill\",\"id\":3}}")
    })
}
