//! The arguments, as clap reads them: what `--help` and the manual pages say.

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Publishes the free time of your CalDAV calendars as bookable slots: an ICS feed, booking pages and a JSON API.
#[derive(Debug, Parser)]
#[command(name = "officehours", version, propagate_version = true)]
pub struct Arguments {
    /// The config file. Without it: $OFFICEHOURS_CONFIG, ./officehours.toml,
    /// $XDG_CONFIG_HOME/officehours/officehours.toml, /etc/officehours/officehours.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the daemon
    Run,
    /// Shows everything on this machine with nothing set up: a calendar server, a sample professor, the daemon
    Demo(DemoArguments),
    /// Asks for a calendar login, discovers its calendars, and writes a commented config file
    Init(InitArguments),
    /// Checks the config, the connections and the calendars
    Check(CheckArguments),
    /// Logs an account in that has no password (auth = { google = … }): prints an address, waits until you have been there
    Login {
        /// The account
        #[arg(value_name = "HOST/ACCOUNT")]
        account: String,
        /// Opens no browser here, and also takes the address that a browser elsewhere shows at the end, pasted
        #[arg(long)]
        no_browser: bool,
    },
    /// Reads every calendar once; a line a calendar
    Sync {
        /// Only this host
        host: Option<String>,
    },
    /// Lists every calendar that was found: href, name, busy, writable
    Calendars {
        /// The host's id
        host: String,
    },
    /// Prints merged busy time as JSON: of a host's calendars, or of .ics files
    Busy(BusyArguments),
    /// Prints the slots on offer
    Slots(SlotsArguments),
    /// Says why a time is or is not on offer: each rule and each event that decides
    Explain(ExplainArguments),
    /// Prints the text of a feed
    Feed {
        /// The host, or one of their meeting types
        #[arg(value_name = "HOST[/MEETING]")]
        target: String,
    },
    /// The host's desk: lists, shows, cancels, moves, approves, declines and exports bookings
    #[command(subcommand)]
    Bookings(BookingsCommand),
    /// Lists what waits to be done for bookings, such as events to write and mails to send, and what was given up
    #[command(args_conflicts_with_subcommands = true)]
    Outbox {
        /// Only this host's
        host: Option<String>,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
        /// What to do with one of them.
        #[command(subcommand)]
        command: Option<OutboxCommand>,
    },
    /// Prints a link that opens the host's desk in a browser, once and within 15 minutes
    DeskLink {
        /// The host's id
        host: String,
        /// Ends every session of the host at the desk, and every link that was not used, instead
        #[arg(long)]
        revoke: bool,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Takes no new bookings for a host; what is booked stays
    Pause {
        /// The host's id
        host: String,
        /// RFC 3339 instant, or a date: its first instant in the host's zone. Without it: until `resume`
        #[arg(long, value_name = "T")]
        until: Option<String>,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Takes new bookings for a host again
    Resume {
        /// The host's id
        host: String,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Makes another key for the links, in place of a lost or disclosed one: no link of before opens a booking any more, and every desk is closed.
    /// The daemon must not be running
    NewKey,
    /// Writes a consistent copy of the store, while the daemon runs, and beside it, as FILE.key, the key of the links: whoever has
    /// both can open every booking
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
        /// Leaves the key of the links out, to be kept elsewhere: without it no link can be written
        #[arg(long)]
        without_key: bool,
    },
    /// Prints a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Prints the manual page, or writes all of them to a folder
    Man {
        /// The folder
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where the pages are served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Keeps calendars and bookings in this folder, for the next time
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `init`. What is not given is asked for.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// A server, a principal, a calendar home or a calendar
    #[arg(long)]
    pub url: Option<String>,
    /// The login
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// The file that holds the password; the config will refer to it
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Name or href of a calendar that makes the host busy; may be repeated. Bookings go to the first that can be written
    #[arg(long, value_name = "NAME")]
    pub calendar: Vec<String>,
    /// The file to write; it must not exist. Without it: that of --config, else ./officehours.toml
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Asks nothing: what is not given is guessed
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Also puts a test event on each calendar that bookings are written to, and removes it
    #[arg(long)]
    pub write: bool,
    /// Also sends a test message to this address, by [mail] of the config
    #[arg(long, value_name = "ADDRESS")]
    pub mail: Option<String>,
}

/// Arguments of `busy`.
#[derive(Debug, Args)]
pub struct BusyArguments {
    /// The host's id
    #[arg(required_unless_present = "ics", conflicts_with = "ics")]
    pub host: Option<String>,
    /// Reads these .ics files or folders of them instead: no config, no network, no store
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "time_zone")]
    pub ics: Vec<PathBuf>,
    /// RFC 3339 instant, or a date: its first instant in the host's zone
    #[arg(long, value_name = "T")]
    pub from: String,
    /// As --from; not included
    #[arg(long, value_name = "T")]
    pub to: String,
    /// With --ics: the host's zone, for floating times and dates
    #[arg(long, value_name = "ZONE", requires = "ics")]
    pub time_zone: Option<String>,
    /// With --ics: an address of the host, whose answer to an invitation counts
    #[arg(long, value_name = "mailto:…", requires = "ics")]
    pub owner: Vec<String>,
    /// With --ics: how tentative events count
    #[arg(long, value_enum, default_value_t = TentativeArgument::Busy, requires = "ics")]
    pub tentative: TentativeArgument,
}

/// How tentative events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TentativeArgument {
    /// As busy
    Busy,
    /// As free
    Free,
}

/// Arguments of `slots`.
#[derive(Debug, Args)]
pub struct SlotsArguments {
    /// Which meeting type
    #[arg(value_name = "HOST/MEETING")]
    pub target: String,
    /// RFC 3339 instant, or a date: its first instant in the host's zone. A slot that starts then is included
    #[arg(long, value_name = "T")]
    pub from: String,
    /// As --from. A slot that starts then is not included
    #[arg(long, value_name = "T")]
    pub to: String,
    /// As if it were this time now
    #[arg(long, value_name = "T")]
    pub now: Option<String>,
    /// Prints what the slots API answers
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Which meeting type
    #[arg(value_name = "HOST/MEETING")]
    pub target: String,
    /// The start that is asked about: an RFC 3339 instant, or a date: its first instant in the host's zone
    #[arg(value_name = "TIME")]
    pub time: String,
    /// As if it were this time now
    #[arg(long, value_name = "T")]
    pub now: Option<String>,
    /// Prints one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What to do with what waits or was given up.
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Tries it at once; also one that was given up
    Retry {
        /// Its id, from the list
        id: i64,
    },
    /// Gives it up for good; what waits behind it goes on, and the booking stays as it is
    Drop {
        /// Its id, from the list
        id: i64,
    },
}

/// What to do with bookings.
#[derive(Debug, Subcommand)]
pub enum BookingsCommand {
    /// Lists bookings, the next first
    List {
        /// Only this host's
        host: Option<String>,
        /// Past and ended ones too
        #[arg(long)]
        all: bool,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Shows one booking
    Show {
        /// Its id
        id: String,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Calls a booking off; its event is removed by the running daemon
    Cancel {
        /// Its id
        #[arg(required_unless_present = "gone", conflicts_with = "gone")]
        id: Option<String>,
        /// Every booking of this host's whose event is gone from the calendar, with so many others at once that it was not believed
        #[arg(long, value_name = "HOST")]
        gone: Option<String>,
        /// Prints one JSON document; with --gone, a list
        #[arg(long)]
        json: bool,
    },
    /// Moves a booking to another slot on offer
    Move {
        /// Its id
        id: String,
        /// RFC 3339 instant of the new start
        #[arg(value_name = "T")]
        start: String,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Writes all bookings as CSV, or as JSON
    Export {
        /// Only those of this guest's address
        #[arg(long, value_name = "ADDRESS")]
        guest: Option<String>,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Erases what is known of a guest: their bookings, which must be past or ended, and the events of them
    Forget {
        /// The guest's address
        #[arg(long, value_name = "ADDRESS")]
        guest: String,
        /// Leaves their past events on the calendar
        #[arg(long)]
        keep_events: bool,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Approves a booking that awaits it
    Approve {
        /// Its id
        id: String,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Declines a booking that awaits approval
    Decline {
        /// Its id
        id: String,
        /// Prints one JSON document
        #[arg(long)]
        json: bool,
    },
}
