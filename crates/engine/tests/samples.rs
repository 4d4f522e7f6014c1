//! The public samples: every readable file in its right format, every record counted.
//!
//! The counts are events, as the engine has them; INDEX.md counts lines or records. They are the same thing where a
//! record is an event (`SAME` below). They differ where an event is made of several lines (auditd), where a line makes
//! several events (a Cowrie session's commands), and where most records are of kinds that are not modelled (Windows
//! event ids, Zeek's other logs, PAM lines of an auth log).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;

/// File, format, events read, and what was rejected, if anything.
const READ: &[(&str, &str, u64, &str)] = &[
    ("auditd_libaudit/auparse__testdata__audit-rhel6.log", "auditd", 1, ""),
    ("auditd_libaudit/auparse__testdata__audit-rhel7.log", "auditd", 12, "1 × not an audit record"),
    ("auditd_libaudit/auparse__testdata__audit-ubuntu14.log", "auditd", 0, ""),
    ("auditd_libaudit/auparse__testdata__audit-ubuntu16.log", "auditd", 2, ""),
    ("auditd_libaudit/auparse__testdata__audit-ubuntu17.log", "auditd", 1, ""),
    ("auditd_libaudit/auparse__testdata__test2.log", "auditd", 0, ""),
    ("auditd_libaudit/auparse__testdata__test3.log", "auditd", 1, ""),
    ("auditd_libaudit/testdata__lost_messages.log", "auditd", 3, ""),
    ("auditd_libaudit/testdata__normal.log", "auditd", 3, ""),
    ("auditd_libaudit/testdata__out_of_order.log", "auditd", 3, ""),
    ("auditd_libaudit/testdata__rollover.log", "auditd", 1, ""),
    ("auth/elastic_examples_auth.log.gz", "sshd_auth", 3058, ""),
    ("cowrie/compx520_cowrie_multisensor.json", "cowrie", 164, ""),
    ("cowrie/deroux_cowrie.json.2021-05-03", "cowrie", 16, ""),
    ("cowrie/emansih_cowrie_cmd.txt.gz", "command_list", 80095, ""),
    ("eqllib/normalized-T1117-AtomicRed-regsvr32.json", "eql_normalized", 5, ""),
    ("eqllib/normalized-atomic-red-team.json.gz", "eql_normalized", 949, ""),
    ("evtx_mitre/T1021.001-Remote_Desktop_Protocol_ID4688-4778_RDP_hijack_command_execution.evtx", "evtx", 21, ""),
    ("evtx_mitre/T1021.001-Remote_Desktop_Protocol_ID4688_4778_4779_RDP_hijack_direct.evtx", "evtx", 12, ""),
    (
        "evtx_mitre/T1021.001-Remote_Desktop_Protocol_ID4825-Denied_RDP_connection_with_valid_credentials.evtx",
        "evtx",
        2,
        "",
    ),
    ("evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID4688-4648_Lateral_movement_with_net_use.evtx", "evtx", 2, ""),
    (
        "evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID4688-Network_share_manipulation_via_commandline.evtx",
        "evtx",
        2,
        "",
    ),
    (
        "evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID4688_4697_5140-5145_PSexec_remote_execution_admin_share.evtx",
        "evtx",
        28,
        "",
    ),
    (
        "evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID5140-ADMIN_share_connection_with_Golden_ticket.evtx",
        "evtx",
        2,
        "",
    ),
    (
        "evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID5142-5143-Mimispool_print_share_created_and_modified.evtx",
        "evtx",
        2,
        "",
    ),
    ("evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID5142-_New_file_share_created.evtx", "evtx", 4, ""),
    (
        "evtx_mitre/T1021.002-SMB_Windows_Admin_Shares_ID5145-remote_shell_execution_via_SMB_admin_share.evtx",
        "evtx",
        2,
        "",
    ),
    (
        "evtx_mitre/T1021.003-Distributed_Component_Object_Model_DCOM_ID4103_4104-DCOMexec_native_via_PowerShell.evtx",
        "evtx",
        2,
        "",
    ),
    (
        "evtx_mitre/T1021.003-Distributed_Component_Object_Model_DCOM_ID4688_4674-DCOMexec_process_spawned.evtx",
        "evtx",
        6,
        "",
    ),
    ("evtx_mitre/T1021.004-Remote_Service_SSH_ID4-OpenSSH_server_listening.evtx", "evtx", 6, ""),
    ("evtx_mitre/T1021.004-Remote_Service_SSH_ID4103-4104-OpenSSH_server_install.evtx", "evtx", 4, ""),
    ("evtx_mitre/T1021.006-Windows_Remote_Management_ID4656-WS_Management_listener_enumeration.evtx", "evtx", 0, ""),
    ("evtx_mitre/T1550-Use_Alternate_Authentication_Material_ID4624-Mimikatz_Pass_the_hash.evtx", "evtx", 5, ""),
    ("msticpy/auditd_log.txt", "auditd", 591, ""),
    ("msticpy/az_net_flows.csv", "az_nsg_flows", 460, ""),
    ("msticpy/processes_on_host.csv", "windows_log_analytics_csv", 363, ""),
    ("otrf_apt29/apt29_day1_combined_zeek.log.gz", "zeek_json", 1556, ""),
    (
        "otrf_lateral/covenant_com_wsman_automation.zip!covenant_com_wsman_automation_2020-10-13002455.json",
        "windows_json",
        108,
        "",
    ),
    (
        "otrf_lateral/covenant_copy_smb_CreateRequest.zip!covenant_copy_smb_CreateRequest_2020-09-22145302.json",
        "windows_json",
        51,
        "",
    ),
    (
        "otrf_lateral/covenant_psremoting_command.zip!covenant_psremoting_command_2020-08-06115603.json",
        "windows_json",
        285,
        "",
    ),
    (
        "otrf_lateral/covenant_sharpsc_create_dcerpc_smb_svcctl.zip!covenant_sharpsc_create_dcerpc_smb_svcctl_2020-08-06022635.json",
        "windows_json",
        299,
        "",
    ),
    (
        "otrf_lateral/covenant_sharpwmi_create_dcerpc_wmi.zip!covenant_sharpwmi_create_dcerpc_wmi_2020-08-06035621.json",
        "windows_json",
        232,
        "",
    ),
    (
        "otrf_lateral/empire_psremoting_stager.zip!empire_psremoting_stager_2020-09-20170827.json",
        "windows_json",
        124,
        "",
    ),
    ("otrf_lateral/schtask_create.zip!schtask_create_2020-12-1907003032.json", "windows_json", 76, ""),
    ("otrf_linux_auditd/sh_arp_cache.zip!sh_arp_cache_2020-11-10074812.log", "auditd", 2, ""),
    ("otrf_linux_auditd/sh_binary_padding_dd.zip!sh_binary_padding_dd_2020-11-10081941.log", "auditd", 1, ""),
    (
        "otrf_log4shell_linux/pcap_log4shell_cve2021_44228_jndi_reference.zip!pcap_log4shell_cve2021_44228_jndi_reference_2022-05-11181020.pcap",
        "pcap",
        6,
        "",
    ),
    (
        "otrf_log4shell_linux/syslog_auoms_auditd_log4shell_cve2021_44228_jndi_reference.zip!syslog_auoms_auditd_log4shell_cve2021_44228_jndi_reference_2022-05-11181020.json",
        "azure_syslog",
        50,
        "",
    ),
    (
        "otrf_log4shell_linux/syslog_sysmon_log4shell_cve2021_44228_jndi_reference.zip!syslog_sysmon_log4shell_cve2021_44228_jndi_reference_2022-05-11181020.json",
        "azure_syslog",
        93,
        "",
    ),
    (
        "otrf_log4shell_linux/vminsights_vmconnection_log4shell_cve2021_44228_jndi_reference.zip!vminsights_vmconnection_log4shell_cve2021_44228_jndi_reference_2022-05-11181020.json",
        "vm_connection",
        5,
        "",
    ),
    ("otrf_m365/Microsoft365DefenderEvents.Zip!Microsoft365DefenderEvents.json", "m365_defender", 5, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!conn.log", "zeek", 119, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!dns.log", "zeek", 15, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!files.log", "zeek", 2, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!http.log", "zeek", 3, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!packet_filter.log", "zeek", 0, ""),
    ("otrf_zeek_tsv/metasploit_procdump_lsass_memory_dump_zeek_logs.zip!weird.log", "zeek", 0, ""),
    ("suricata/first-org-conf-2015_alerts-only.json.gz", "suricata_eve", 136, ""),
    ("suricata/honeypot-2018_alerts-only.json.gz", "suricata_eve", 44, ""),
    ("suricata/tenzir_ctu13_eve_5lines.json", "suricata_eve", 5, ""),
    ("suricata/wrccdc-2017_alerts-only.json.gz", "suricata_eve", 161, ""),
    ("tetragon/book/00_four_golden_signals__process_close.json", "tetragon", 1, ""),
    ("tetragon/book/00_four_golden_signals__process_connect.json", "tetragon", 1, ""),
    ("tetragon/book/00_four_golden_signals__process_exec.json", "tetragon", 1, ""),
    ("tetragon/book/00_four_golden_signals__process_exit.json", "tetragon", 1, ""),
    ("tetragon/book/00_four_golden_signals__process_kprobe.json", "tetragon", 1, ""),
    ("tetragon/book/00_four_golden_signals__process_listen.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__cat_process_exec.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__cat_process_exit.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__cat_process_kprobe.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__lifecycle_sh_process_exec.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__lifecycle_sh_process_exit.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__nc_process_close.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__nc_process_connect.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__nc_process_exec.json", "tetragon", 1, ""),
    ("tetragon/book/00_process_lifecycle__nc_process_exit.json", "tetragon", 1, ""),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__host-namespace-bash.json",
        "tetragon",
        1,
        "",
    ),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__nginx-execution.json",
        "tetragon",
        1,
        "",
    ),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__nginx-listen.json",
        "tetragon",
        1,
        "",
    ),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__privileged-pod-bash.json",
        "tetragon",
        1,
        "",
    ),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__privileged-pod-init.json",
        "tetragon",
        1,
        "",
    ),
    (
        "tetragon/book/03_security_observability_events__01_reaching_the_host_namespace__privileged-pod-nsenter.json",
        "tetragon",
        1,
        "",
    ),
    ("tetragon/events.json", "tetragon", 3, ""),
    ("uqo_honeypots/cowrie_sessions_20k.csv.gz", "cowrie_csv", 33912, ""),
    ("uqo_honeypots/dioneae_20k.json.tar.gz!dioneae_20k.json", "dionaea", 20799, ""),
    ("uqo_honeypots/honeytrap_5k.json.tar.gz!honeytrap_5k.json", "honeytrap", 4999, ""),
];

/// What is no log: reports, lists of indicators, rules, labels and the samples' own index.
const NO_LOGS: &[&str] =
    &[".adoc", ".labels.tsv", ".md", ".md5", ".misp-event.json", ".py", ".sha1", ".sha256", ".yaml", ".yar"];
/// Likewise, where the ending does not say so.
const NO_LOGS_EITHER: &[(&str, &str)] = &[
    ("ioc_maltrail/", "lists of domains"),
    ("ioc_unit42/", "STIX and playbooks"),
    ("otrf_log4shell_linux/TRUTH.json", "what is known to have happened"),
    ("cowrie/compx520_commands_mapped.txt", "a list of commands with what they mean, of no time or host"),
    ("msticpy/syslog_data.csv", "syslog of daemons as CSV, in which nothing is a process, a connection or a logon"),
];

#[test]
fn every_file_in_its_format_and_every_record_counted() {
    let Some(folder) = common::samples() else { return };
    let run = common::run(&folder);
    let root = format!("{}/", folder.display());
    let mut got: BTreeMap<&str, String> = BTreeMap::new();
    for it in &run.findings.summary.sources {
        let name = it.source.strip_prefix(&root).unwrap_or(&it.source);
        let reasons: Vec<String> = it.reasons.iter().map(|(why, n)| format!("{n} × {why}")).collect();
        assert_eq!(it.reasons.values().sum::<u64>(), it.rejected, "{name}: a rejected record is not explained");
        let told = format!("{}: {} read; {}", it.format.as_deref().unwrap_or("-"), it.read, reasons.join(", "));
        assert_eq!(got.insert(name, told), None, "{name} was read twice");
    }
    let mut wrong = Vec::new();
    for (name, format, read, reasons) in READ {
        let expect = format!("{format}: {read} read; {reasons}");
        match got.remove(name) {
            Some(told) if told == expect => {}
            other => wrong.push(format!("{name}\n  expect {expect}\n     got {}", other.unwrap_or_default())),
        }
    }
    for (name, told) in got {
        let known =
            NO_LOGS.iter().any(|it| name.ends_with(it)) || NO_LOGS_EITHER.iter().any(|it| name.starts_with(it.0));
        if !known || told != "-: 0 read; 1 × format not recognised" {
            wrong.push(format!("{name}\n  expect nothing\n     got {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A sum over everything: nothing vanished on the way to the summary.
    let summary = &run.findings.summary;
    assert_eq!(summary.events_read, READ.iter().map(|it| it.2).sum::<u64>());
    assert_eq!(summary.events_rejected, summary.sources.iter().map(|it| it.rejected).sum::<u64>());
    assert_eq!(run.findings.rejected.len() as u64, summary.events_rejected);
}

/// Formats in which a record is an event: INDEX.md, which others counted, has the same numbers.
const SAME: &[&str] = &[
    "az_nsg_flows",
    "azure_syslog",
    "honeytrap",
    "suricata_eve",
    "tetragon",
    "vm_connection",
    "windows_log_analytics_csv",
];

#[test]
fn where_the_index_counts_the_same_thing_it_has_the_same_numbers() {
    let Some(folder) = common::samples() else { return };
    let index = std::fs::read_to_string(folder.join("INDEX.md")).unwrap();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut section = String::new();
    for line in index.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.trim().clone_into(&mut section);
        }
        let mut cells = line.split('|').map(str::trim).skip(1);
        if let (Some(file), Some(Ok(n))) = (cells.next(), cells.next().map(|it| it.replace(',', "").parse())) {
            counted.insert(format!("{section}{file}"), n);
        }
    }
    let mut compared = 0;
    for (name, _, read, _) in READ.iter().filter(|it| SAME.contains(&it.1)) {
        let file = name.split('!').next().unwrap();
        assert_eq!(counted.get(file), Some(read), "{name}");
        compared += 1;
    }
    assert_eq!(compared, READ.iter().filter(|it| SAME.contains(&it.1)).count());
    assert!(compared > 25, "{compared}");
}
