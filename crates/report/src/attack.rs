//! ATT&CK technique → its name and tactics, as far as drawing needs them. Deliberately absent: what a technique means;
//! one that is not listed is drawn under its number, in no column.

use std::collections::BTreeSet;

use ringleader_model::findings::{Gang, MethodClass};

/// Sorted by id. Tactics are places in [`crate::view::TACTICS`], the matrix's order; the first is the one it is drawn under.
const TECHNIQUES: &[(&str, &str, &[usize])] = &[
    ("T1001", "Data Obfuscation", &[11]),
    ("T1003", "OS Credential Dumping", &[7]),
    ("T1005", "Data from Local System", &[10]),
    ("T1007", "System Service Discovery", &[8]),
    ("T1008", "Fallback Channels", &[11]),
    ("T1014", "Rootkit", &[6]),
    ("T1016", "System Network Configuration Discovery", &[8]),
    ("T1018", "Remote System Discovery", &[8]),
    ("T1021", "Remote Services", &[9]),
    ("T1021.002", "SMB/Windows Admin Shares", &[9]),
    ("T1021.004", "SSH", &[9]),
    ("T1027", "Obfuscated Files or Information", &[6]),
    ("T1033", "System Owner/User Discovery", &[8]),
    ("T1036", "Masquerading", &[6]),
    ("T1037", "Boot or Logon Initialization Scripts", &[4, 5]),
    ("T1040", "Network Sniffing", &[7, 8]),
    ("T1041", "Exfiltration Over C2 Channel", &[12]),
    ("T1046", "Network Service Discovery", &[8]),
    ("T1047", "Windows Management Instrumentation", &[3]),
    ("T1048", "Exfiltration Over Alternative Protocol", &[12]),
    ("T1049", "System Network Connections Discovery", &[8]),
    ("T1053", "Scheduled Task/Job", &[4, 3, 5]),
    ("T1053.003", "Cron", &[4, 3, 5]),
    ("T1055", "Process Injection", &[6, 5]),
    ("T1057", "Process Discovery", &[8]),
    ("T1059", "Command and Scripting Interpreter", &[3]),
    ("T1059.001", "PowerShell", &[3]),
    ("T1059.004", "Unix Shell", &[3]),
    ("T1059.006", "Python", &[3]),
    ("T1068", "Exploitation for Privilege Escalation", &[5]),
    ("T1069", "Permission Groups Discovery", &[8]),
    ("T1070", "Indicator Removal", &[6]),
    ("T1070.003", "Clear Command History", &[6]),
    ("T1070.004", "File Deletion", &[6]),
    ("T1071", "Application Layer Protocol", &[11]),
    ("T1071.001", "Web Protocols", &[11]),
    ("T1074", "Data Staged", &[10]),
    ("T1078", "Valid Accounts", &[2, 4, 5, 6]),
    ("T1082", "System Information Discovery", &[8]),
    ("T1083", "File and Directory Discovery", &[8]),
    ("T1087", "Account Discovery", &[8]),
    ("T1090", "Proxy", &[11]),
    ("T1095", "Non-Application Layer Protocol", &[11]),
    ("T1098", "Account Manipulation", &[4, 5]),
    ("T1098.004", "SSH Authorized Keys", &[4, 5]),
    ("T1102", "Web Service", &[11]),
    ("T1105", "Ingress Tool Transfer", &[11]),
    ("T1110", "Brute Force", &[7]),
    ("T1110.001", "Password Guessing", &[7]),
    ("T1110.003", "Password Spraying", &[7]),
    ("T1112", "Modify Registry", &[6]),
    ("T1124", "System Time Discovery", &[8]),
    ("T1132", "Data Encoding", &[11]),
    ("T1133", "External Remote Services", &[2, 4]),
    ("T1134", "Access Token Manipulation", &[6, 5]),
    ("T1135", "Network Share Discovery", &[8]),
    ("T1136", "Create Account", &[4]),
    ("T1140", "Deobfuscate/Decode Files or Information", &[6]),
    ("T1176", "Software Extensions", &[4]),
    ("T1187", "Forced Authentication", &[7]),
    ("T1189", "Drive-by Compromise", &[2]),
    ("T1190", "Exploit Public-Facing Application", &[2]),
    ("T1195", "Supply Chain Compromise", &[2]),
    ("T1199", "Trusted Relationship", &[2]),
    ("T1201", "Password Policy Discovery", &[8]),
    ("T1203", "Exploitation for Client Execution", &[3]),
    ("T1204", "User Execution", &[3]),
    ("T1210", "Exploitation of Remote Services", &[9]),
    ("T1218", "System Binary Proxy Execution", &[6]),
    ("T1219", "Remote Access Tools", &[11]),
    ("T1222", "File and Directory Permissions Modification", &[6]),
    ("T1222.002", "Linux and Mac Permissions Modification", &[6]),
    ("T1485", "Data Destruction", &[13]),
    ("T1486", "Data Encrypted for Impact", &[13]),
    ("T1489", "Service Stop", &[13]),
    ("T1490", "Inhibit System Recovery", &[13]),
    ("T1491", "Defacement", &[13]),
    ("T1496", "Resource Hijacking", &[13]),
    ("T1496.001", "Compute Hijacking", &[13]),
    ("T1498", "Network Denial of Service", &[13]),
    ("T1499", "Endpoint Denial of Service", &[13]),
    ("T1505", "Server Software Component", &[4]),
    ("T1505.003", "Web Shell", &[4]),
    ("T1518", "Software Discovery", &[8]),
    ("T1529", "System Shutdown/Reboot", &[13]),
    ("T1531", "Account Access Removal", &[13]),
    ("T1543", "Create or Modify System Process", &[4, 5]),
    ("T1543.002", "Systemd Service", &[4, 5]),
    ("T1546", "Event Triggered Execution", &[4, 5]),
    ("T1546.004", "Unix Shell Configuration Modification", &[4, 5]),
    ("T1547", "Boot or Logon Autostart Execution", &[4, 5]),
    ("T1547.006", "Kernel Modules and Extensions", &[4, 5]),
    ("T1548", "Abuse Elevation Control Mechanism", &[5, 6]),
    ("T1548.001", "Setuid and Setgid", &[5, 6]),
    ("T1552", "Unsecured Credentials", &[7]),
    ("T1552.001", "Credentials In Files", &[7]),
    ("T1552.005", "Cloud Instance Metadata API", &[7]),
    ("T1553", "Subvert Trust Controls", &[6]),
    ("T1555", "Credentials from Password Stores", &[7]),
    ("T1556", "Modify Authentication Process", &[7, 4, 6]),
    ("T1560", "Archive Collected Data", &[10]),
    ("T1562", "Impair Defenses", &[6]),
    ("T1562.001", "Disable or Modify Tools", &[6]),
    ("T1562.004", "Disable or Modify System Firewall", &[6]),
    ("T1563", "Remote Service Session Hijacking", &[9]),
    ("T1564", "Hide Artifacts", &[6]),
    ("T1564.001", "Hidden Files and Directories", &[6]),
    ("T1565", "Data Manipulation", &[13]),
    ("T1567", "Exfiltration Over Web Service", &[12]),
    ("T1568", "Dynamic Resolution", &[11]),
    ("T1569", "System Services", &[3]),
    ("T1569.002", "Service Execution", &[3]),
    ("T1570", "Lateral Tool Transfer", &[9]),
    ("T1571", "Non-Standard Port", &[11]),
    ("T1572", "Protocol Tunneling", &[11]),
    ("T1573", "Encrypted Channel", &[11]),
    ("T1574", "Hijack Execution Flow", &[6, 4, 5]),
    ("T1574.006", "Dynamic Linker Hijacking", &[6, 4, 5]),
    ("T1583", "Acquire Infrastructure", &[1]),
    ("T1584", "Compromise Infrastructure", &[1]),
    ("T1587", "Develop Capabilities", &[1]),
    ("T1588", "Obtain Capabilities", &[1]),
    ("T1592", "Gather Victim Host Information", &[0]),
    ("T1595", "Active Scanning", &[0]),
    ("T1595.002", "Vulnerability Scanning", &[0]),
    ("T1608", "Stage Capabilities", &[1]),
    ("T1609", "Container Administration Command", &[3]),
    ("T1610", "Deploy Container", &[3, 6]),
    ("T1611", "Escape to Host", &[5]),
    ("T1612", "Build Image on Host", &[6]),
    ("T1613", "Container and Resource Discovery", &[8]),
    ("T1620", "Reflective Code Loading", &[6]),
];

/// Name and tactics of a technique; a sub-technique that is not listed has those of its parent.
pub(crate) fn technique(id: &str) -> Option<(&'static str, &'static [usize])> {
    let find =
        |id: &str| TECHNIQUES.binary_search_by(|it| it.0.cmp(id)).ok().map(|at| (TECHNIQUES[at].1, TECHNIQUES[at].2));
    find(id).or_else(|| find(id.split_once('.')?.0))
}

/// The tactic that a technique is drawn under.
pub(crate) fn tactic(id: &str) -> Option<usize> {
    technique(id)?.1.first().copied()
}

/// Whether a text has the form of a technique's id. What is shown or linked as one must.
pub(crate) fn is_id(id: &str) -> bool {
    let (main, sub) = id.split_once('.').map_or((id, None), |(main, sub)| (main, Some(sub)));
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    main.strip_prefix('T').is_some_and(|it| digits(it, 4)) && sub.is_none_or(|it| digits(it, 3))
}

/// The technique that a way in stands for.
pub(crate) fn of_class(class: MethodClass) -> Option<&'static str> {
    Some(match class {
        MethodClass::WeakPassword => "T1110",
        MethodClass::StolenKey => "T1078",
        MethodClass::ExposedService => "T1133",
        MethodClass::Exploit => "T1190",
        MethodClass::SupplyChain => "T1195",
        MethodClass::Lateral => "T1021",
        MethodClass::Unknown => return None,
    })
}

/// The techniques of a gang, its ways in included; sorted, each once.
pub(crate) fn techniques(gang: &Gang) -> BTreeSet<&str> {
    let behaviours = gang.what.behaviours.iter().filter_map(|it| it.technique.as_deref());
    let ways_in = gang.how.iter().filter_map(|it| of_class(it.class));
    behaviours.chain(ways_in).filter(|it| is_id(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_well_formed() {
        assert!(TECHNIQUES.is_sorted_by(|a, b| a.0 < b.0));
        for (id, name, tactics) in TECHNIQUES {
            assert!(
                is_id(id)
                    && !name.is_empty()
                    && !tactics.is_empty()
                    && tactics.iter().all(|it| *it < crate::view::TACTICS.len())
            );
        }
    }

    #[test]
    fn sub_techniques_fall_back_to_their_parent() {
        assert_eq!(technique("T1059.009").map(|it| it.0), Some("Command and Scripting Interpreter"));
        assert_eq!(technique("T9999"), None);
        assert!(!is_id("T1059.x") && !is_id("T10590") && !is_id("<T1059>"));
    }
}
