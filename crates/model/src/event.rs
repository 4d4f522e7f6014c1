//! One log record, normalised. Borrowed from the record's bytes: making one allocates next to nothing.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::indicator::names;
use crate::time::Timestamp;

names!(
    /// The OCSF class (DESIGN: tables).
    EventClass {
        Process = "process_activity",
        Network = "network_activity",
        File = "file_activity",
        Authentication = "authentication",
        Http = "http_activity",
        Detection = "detection_finding",
    }
);

names!(
    /// What happened, within the class.
    Activity {
        Launch = "launch",
        Terminate = "terminate",
        /// The process was running when a snapshot was taken; it may have started long before.
        Snapshot = "snapshot",
        Open = "open",
        Close = "close",
        Listen = "listen",
        Traffic = "traffic",
        Create = "create",
        Modify = "modify",
        Delete = "delete",
        Read = "read",
        Logon = "logon",
        LogonFailed = "logon_failed",
        Logoff = "logoff",
        Request = "request",
        Query = "query",
        Alert = "alert",
        Service = "service_created",
        Share = "share_accessed",
        Other = "other",
    }
);

names!(
    /// What logged the event.
    SensorRole {
        Host = "host_agent",
        Network = "network_sensor",
        Honeypot = "honeypot",
    }
);

names!(
    /// The text fields of an event. The name is the column's, after OCSF, flattened.
    ///
    /// `process` is the process that the event is about; `parent` the one that started it. Paths, names and
    /// command lines stand as logged. Unknown is absent, never "-" or "".
    Field {
        FilePath = "process_file_path",
        CmdLine = "process_cmd_line",
        ProcessGuid = "process_uid",
        /// Start time of the process, microseconds, where the record's own time is another.
        ProcessStart = "process_created_time",
        ParentName = "parent_file_path",
        ParentCmdLine = "parent_cmd_line",
        ParentGuid = "parent_uid",
        ParentStart = "parent_created_time",
        /// Ancestors root first, `pid:::command line` joined by ` &&& `.
        Chain = "ancestry",
        Cwd = "working_directory",
        User = "user_name",
        Session = "session_uid",
        Tty = "tty",
        Container = "container_uid",
        Image = "container_image",
        Hash = "file_hash",
        TargetPath = "file_path",
        SrcIp = "src_ip",
        SrcPort = "src_port",
        DstIp = "dst_ip",
        DstPort = "dst_port",
        DstHost = "dst_hostname",
        Protocol = "protocol_name",
        Direction = "direction",
        BytesOut = "traffic_bytes_out",
        BytesIn = "traffic_bytes_in",
        /// Connection state as the sensor words it.
        State = "status",
        Query = "query_hostname",
        Answers = "answers",
        Method = "http_method",
        Url = "url",
        HttpHost = "http_host",
        UserAgent = "http_user_agent",
        Referrer = "http_referrer",
        Status = "http_status",
        /// Request body or raw payload, decoded where the log encodes it.
        Body = "http_body",
        Headers = "http_headers",
        LogonType = "logon_type",
        Password = "password",
        Workstation = "workstation",
        /// How many identical records the sensor merged into this one.
        Count = "count",
        Rule = "finding_title",
        RuleId = "finding_uid",
        Severity = "severity",
        Technique = "attack_technique",
        Cve = "cve",
        /// What a network-side alert says of the process: c2, download_source, mining_pool, scan, brute_force …
        NetworkRole = "network_role",
        Detail = "detail",
        ServiceName = "service_name",
        Share = "share_name",
        ExitCode = "exit_code",
        HostIp = "host_ip",
        InternetIp = "internet_ip",
        OwnerId = "owner_id",
    }
);

/// 128 bits of the record's own content, its tenant and its host: the same record is the same event, whatever
/// file it stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId(pub u128);

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for EventId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a format makes of one record. Where it stood and what it is called are added by `collect`.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    pub class: EventClass,
    pub activity: Activity,
    pub sensor_role: SensorRole,
    pub time: Option<Timestamp>,
    /// Minutes east of UTC, where the source wrote them.
    pub utc_offset_minutes: Option<i16>,
    /// The host as the record names it; else the one that was given for the source.
    pub host: Option<Cow<'a, str>>,
    pub tenant: Option<Cow<'a, str>>,
    /// The input's own id, verbatim.
    pub source_event_id: Option<Cow<'a, str>>,
    pub pid: Option<u32>,
    pub ppid: Option<u32>,
    fields: Vec<(Field, Cow<'a, str>)>,
}

impl<'a> Event<'a> {
    pub fn new(class: EventClass, activity: Activity) -> Self {
        Self {
            class,
            activity,
            sensor_role: SensorRole::Host,
            time: None,
            utc_offset_minutes: None,
            host: None,
            tenant: None,
            source_event_id: None,
            pid: None,
            ppid: None,
            fields: Vec::new(),
        }
    }

    /// Makes it a new event of another kind, keeping its memory.
    pub fn reset(&mut self, class: EventClass, activity: Activity) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::new(class, activity) };
    }

    /// Sets a field. Null marks (`-`, `N/A`, `null`, empty …) leave it absent; so does `None`.
    pub fn set(&mut self, field: Field, value: impl FieldValue<'a>) {
        if let Some(value) = value.into_field().filter(|value| !is_null(value)) {
            self.put(field, value);
        }
    }

    /// Sets a field as it stands: for values in which `-` means itself.
    pub fn put(&mut self, field: Field, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(it, _)| *it == field) {
            Some(slot) => slot.1 = value,
            None => self.fields.push((field, value)),
        }
    }

    pub fn get(&self, field: Field) -> Option<&str> {
        self.fields.iter().find(|(it, _)| *it == field).map(|(_, value)| value.as_ref())
    }

    /// In the order they were set.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        self.fields.iter().map(|(field, value)| (*field, value.as_ref()))
    }
}

/// What a field can be set to: text of any kind, a number, or either as an `Option`.
pub trait FieldValue<'a> {
    fn into_field(self) -> Option<Cow<'a, str>>;
}

impl<'a> FieldValue<'a> for &'a str {
    fn into_field(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<'a> FieldValue<'a> for String {
    fn into_field(self) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(self))
    }
}

impl<'a> FieldValue<'a> for Cow<'a, str> {
    fn into_field(self) -> Option<Cow<'a, str>> {
        Some(self)
    }
}

impl<'a> FieldValue<'a> for u32 {
    fn into_field(self) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(self.to_string()))
    }
}

impl<'a> FieldValue<'a> for Timestamp {
    /// Microseconds, as decimal text.
    fn into_field(self) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(self.0.to_string()))
    }
}

impl<'a, T: FieldValue<'a>> FieldValue<'a> for Option<T> {
    fn into_field(self) -> Option<Cow<'a, str>> {
        self.and_then(FieldValue::into_field)
    }
}

/// The marks that sensors write where they know nothing.
pub fn is_null(value: &str) -> bool {
    matches!(value, "" | "-" | "N/A" | "n/a" | "null" | "NULL" | "(null)" | "(none)" | "?" | "<null>" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_marks_are_absent_and_later_values_win() {
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        event.set(Field::User, "N/A");
        event.set(Field::CmdLine, "ls");
        event.set(Field::CmdLine, "ls -l".to_owned());
        event.set(Field::Cwd, None::<&str>);
        assert_eq!(event.fields().collect::<Vec<_>>(), [(Field::CmdLine, "ls -l")]);
    }

    #[test]
    fn field_codes_fit_a_byte_and_names_are_unique() {
        assert!(Field::ALL.len() < 255);
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(*field));
        }
    }
}
