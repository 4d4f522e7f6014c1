//! Our own Sigma rules, built in: a rule is a file in `knowledge/behaviours`, and a line here.

macro_rules! rules {
    ($($name:literal),+ $(,)?) => {
        /// (name, text), by name.
        pub(super) const RULES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../knowledge/behaviours/", $name, ".yml")))),+
        ];
    };
}

rules!(
    "adds_account",
    "adds_root_account",
    "busybox_token_probe",
    "changes_password",
    "clears_logs",
    "container_escape",
    "creates_service_remotely",
    "cron_fetches_code",
    "database_spawns_shell",
    "ddos_tool",
    "decodes_and_runs",
    "deletes_shadow_copies",
    "disables_defender",
    "disables_security_agent",
    "dumps_lsass",
    "encoded_powershell",
    "exports_registry_hives",
    "fetches_with_system_tool",
    "hidden_powershell",
    "hides_process_by_preload",
    "hides_shell_history",
    "hugepages_tuning",
    "java_spawns_shell",
    "masquerades_as_system_program",
    "office_spawns_shell",
    "opens_reverse_shell",
    "persists_by_profile",
    "persists_by_rc_local",
    "persists_by_run_key",
    "persists_by_systemd",
    "plants_ssh_key",
    "probes_shell_by_echo",
    "queries_metadata_credentials",
    "reads_credentials",
    "runs_from_hidden_folder",
    "runs_from_tmp",
    "runs_remote_script",
    "scans_network",
    "schedules_task_remotely",
    "searches_private_keys",
    "server_runs_intruder_commands",
    "sets_immutable_bits",
    "starts_miner",
    "stops_firewall",
    "web_server_spawns_shell",
    "winrm_remote_execution",
    "wmi_remote_execution",
    "writes_cron",
);
