"""Live sound between a session and its front end: frames in, frames out, both bounded."""
