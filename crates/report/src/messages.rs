//! The one message catalogue: key → English and Chinese. What logs say is never translated.

/// The language of the reports for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    Zh,
}

impl Lang {
    pub const ALL: &'static [Self] = &[Self::En, Self::Zh];

    /// Also its BCP 47 tag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }
}

macro_rules! catalogue {
    ($($key:ident: $en:literal, $zh:literal;)+) => {
        /// A message. `{0}`, `{1}` … stand for what [`Msg::with`] is given.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Msg { $($key),+ }

        impl Msg {
            pub const ALL: &'static [Self] = &[$(Self::$key),+];

            pub const fn key(self) -> &'static str {
                match self { $(Self::$key => stringify!($key)),+ }
            }
            pub const fn text(self, lang: Lang) -> &'static str {
                match (self, lang) { $((Self::$key, Lang::En) => $en, (Self::$key, Lang::Zh) => $zh),+ }
            }
        }
    };
}

impl Msg {
    /// The message with its places filled in, which must already be safe where they will stand.
    pub fn with(self, lang: Lang, values: &[&str]) -> String {
        let mut out = String::new();
        let mut rest = self.text(lang);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (index, after) = after.split_once('}').unwrap_or(("", after));
            out.push_str(index.parse::<usize>().ok().and_then(|it| values.get(it)).copied().unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

catalogue! {
    Title: "Ringleader report", "Ringleader 报告";
    AnswerGangs: "{0} gangs on {1} hosts.", "{0} 个团伙，涉及 {1} 台主机。";
    AnswerGang: "One gang on {1} hosts.", "1 个团伙，涉及 {1} 台主机。";
    AnswerUnalerted: "{0} of these hosts no alert had named.", "其中 {0} 台主机没有任何告警提到过。";
    AnswerNoAlerts: "The input held no alerts.", "输入中没有告警。";
    AnswerRepaired: "{0} processes that the sensors lost were put back ({1} proven by a child, {2} by likeness).", "补全了传感器丢失的 {0} 个进程（{1} 个由子进程证明，{2} 个由同类推断）。";
    AnswerNotRepaired: "Nothing had to be repaired.", "没有需要补全的进程。";
    AnswerNothing: "No gang was found.", "没有发现团伙。";
    NothingLead: "{0} events of {1} hosts were read and {2} processes rebuilt. None of them form a campaign that is judged hostile.", "读取了 {1} 台主机的 {0} 条事件，重建了 {2} 个进程。其中没有被判定为恶意的攻击活动。";
    NothingLookedFor: "What was looked for", "查找了什么";
    NothingHowWell: "How well these logs could have shown it", "这些日志能在多大程度上揭示攻击";
    NothingProcesses: "Process events are what gangs are found in: {0} were rebuilt.", "团伙是从进程事件中发现的：共重建 {0} 个进程。";
    NothingNoProcesses: "There was not one process event. Without them, a gang cannot be seen at all: add host logs.", "没有任何进程事件。没有进程事件就完全看不到团伙：请加入主机日志。";
    NothingRejected: "{0} records could not be read. What they held is not known; see below.", "有 {0} 条记录无法读取，其内容未知，见下文。";
    NothingAllRead: "Every record could be read.", "所有记录均已读取。";
    NothingUnknown: "{0} sources were of no format that is known.", "有 {0} 个来源的格式无法识别。";
    NothingNotClean: "This does not prove that the fleet is clean: what no sensor logged cannot be found.", "这并不证明机群是干净的：传感器没有记录的，就无法发现。";
    NothingNext: "`ringleader doctor` says what can and cannot be concluded from these logs.", "`ringleader doctor` 会说明从这些日志能得出和不能得出哪些结论。";
    Gangs: "Gangs", "团伙";
    Gang: "Gang", "团伙";
    Campaigns: "Campaigns", "攻击活动";
    Campaign: "Campaign", "攻击活动";
    Hosts: "Hosts", "主机";
    HostsCount: "{0} hosts", "{0} 台主机";
    Events: "Events", "事件";
    EventsRead: "Events read", "已读事件";
    Processes: "Processes", "进程";
    Episodes: "Episodes", "片段";
    Repaired: "Repaired", "已补全";
    NoAlertNamed: "No alert named", "告警未提及";
    Folded: "Nodes and edges", "节点与边";
    FoldedInto: "{0} folded into {1}", "{0} 归并为 {1}";
    Search: "Search gang, host, indicator, CVE …", "搜索团伙、主机、指标、CVE…";
    AnyMethod: "Any way in", "任意入侵方式";
    AnyTactic: "Any tactic", "任意战术";
    ByWeight: "By weight", "按规模";
    ByRecent: "Latest first", "按最近时间";
    ByName: "By name", "按名称";
    Shown: "{0} of {1}", "{0} / {1}";
    NoMatch: "No gang matches.", "没有匹配的团伙。";
    Who: "Who", "是谁";
    How: "How they got in", "如何入侵";
    What: "What they did", "做了什么";
    KnownAs: "Also known as", "又名";
    Family: "Family", "家族";
    Supersedes: "Supersedes", "取代";
    Confidence: "Confidence", "置信度";
    FirstSeen: "First seen", "首次出现";
    LastSeen: "Last seen", "最近出现";
    Infrastructure: "Infrastructure", "基础设施";
    StrongIndicators: "Strongest indicators", "最强指标";
    NoInfrastructure: "No server of its own was seen.", "未见其自有服务器。";
    NoMethod: "The way in is not known: the logs do not show it, and nothing was guessed.", "入侵方式未知：日志中没有体现，不作猜测。";
    NoBehaviour: "No listed behaviour was seen.", "未见已知行为。";
    NetworkRoles: "Network roles", "网络角色";
    NoveltyKnown: "known", "已知";
    NoveltyVariant: "variant", "变种";
    NoveltyNew: "new", "新方法";
    ClassWeakPassword: "weak password", "弱口令";
    ClassStolenKey: "stolen key", "被盗密钥";
    ClassExposedService: "exposed service", "暴露的服务";
    ClassExploit: "exploit", "漏洞利用";
    ClassSupplyChain: "supply chain", "供应链";
    ClassLateral: "lateral", "横向移动";
    ClassUnknown: "unknown", "未知";
    StrengthStrong: "strong", "强";
    StrengthMedium: "medium", "中";
    StrengthWeak: "weak", "弱";
    Attack: "ATT&CK", "ATT&CK";
    Unlisted: "Other", "其他";
    TacticReconnaissance: "Reconnaissance", "侦察";
    TacticResourceDevelopment: "Resource dev.", "资源开发";
    TacticInitialAccess: "Initial access", "初始访问";
    TacticExecution: "Execution", "执行";
    TacticPersistence: "Persistence", "持久化";
    TacticPrivilegeEscalation: "Privilege esc.", "权限提升";
    TacticDefenseEvasion: "Defense evasion", "防御规避";
    TacticCredentialAccess: "Credential acc.", "凭据访问";
    TacticDiscovery: "Discovery", "发现";
    TacticLateralMovement: "Lateral mvmt.", "横向移动";
    TacticCollection: "Collection", "收集";
    TacticCommandAndControl: "C2", "命令与控制";
    TacticExfiltration: "Exfiltration", "数据渗出";
    TacticImpact: "Impact", "影响";
    ProcessGraph: "Merged process graph", "合并进程图";
    GraphHint: "Click a process for the raw lines behind it.", "点击进程查看其原始日志。";
    Signature: "Signature", "特征";
    Stopped: "Kept out of the signature", "未计入特征的值";
    Observed: "observed", "观测到";
    Inferred: "inferred", "推断";
    Times: "{0} times", "{0} 次";
    MoreNodes: "{0} more processes are in campaigns.jsonl", "另有 {0} 个进程见 campaigns.jsonl";
    NotDrawn: "Not drawn here; the graph is in campaigns.jsonl.", "此处未绘制；图见 campaigns.jsonl。";
    Activity: "Activity", "活动时间";
    PerHour: "events per hour", "每小时事件数";
    PerDay: "events per day", "每天事件数";
    PerSteps: "events per {0} hours", "每 {0} 小时事件数";
    NoActivity: "No times are known.", "没有已知时间。";
    HostsUnalerted: "{0} of them no alert named (marked)", "其中 {0} 台没有告警提及（已标记）";
    Indicators: "Indicators", "指标";
    Copy: "Copy", "复制";
    Copied: "Copied", "已复制";
    CopyAll: "Copy all", "全部复制";
    More: "{0} more are in {1}", "另有 {0} 条见 {1}";
    Links: "Why these campaigns are one gang", "为何这些攻击活动属于同一团伙";
    NoLinks: "One campaign: there was nothing to join.", "只有一个攻击活动，无需关联。";
    NearMisses: "Near misses", "险些关联";
    NearMissesHint: "What was nearly joined to this gang, and why it was not.", "险些并入该团伙的活动，以及未并入的原因。";
    WeightOf: "weight {0}, threshold {1}", "权重 {0}，阈值 {1}";
    Evidence: "Evidence", "证据";
    EvidenceCount: "Records: {0}", "记录：{0}";
    NoEvidence: "No record was kept for this.", "没有保留相应的记录。";
    OffsetLength: "offset {0}, {1} bytes", "偏移 {0}，{1} 字节";
    Source: "Source", "来源";
    Rule: "Rule", "规则";
    Template: "Template", "模板";
    Sample: "Sample", "样例";
    Close: "Close", "关闭";
    Repairs: "Processes put back", "补全的进程";
    RepairsHint: "Their own events were lost. Structural: a logged child proves it. Statistical: comparable episodes show it.", "这些进程自身的事件已丢失。structural：有子进程的日志证明；statistical：由同类片段推断。";
    Grade: "Grade", "等级";
    Support: "Support", "支持";
    SupportOf: "{0} of {1}", "{0} / {1}";
    DataQuality: "Data quality", "数据质量";
    Format: "Format", "格式";
    Read: "Read", "已读";
    Rejected: "Rejected", "被拒";
    Duplicates: "Duplicates", "重复";
    Reasons: "Reasons", "原因";
    NotRecognised: "not recognised", "未识别";
    RejectedRecords: "Rejected records", "被拒记录";
    NoneRejected: "No record was rejected.", "没有被拒绝的记录。";
    Record: "Record", "记录";
    Offset: "Offset", "偏移";
    Warnings: "What is new", "新情况";
    WarningNewGang: "new gang", "新团伙";
    WarningNewMethod: "new method", "新方法";
    WarningFirstUse: "first use of a known method", "首次使用已知方法";
    WarningNewBehaviour: "new behaviour", "新行为";
    WarningNewInfrastructure: "new infrastructure", "新基础设施";
    WarningNewPlatform: "new platform", "新平台";
    WarningNewTenant: "new tenant", "新租户";
    WarningNewRegion: "new region", "新地域";
    WarningDormantBack: "back after a silence", "沉寂后再现";
    WarningSensorFirst: "on a decoy first", "先现于诱饵";
    Honeynet: "Honeynet", "蜜网";
    HoneynetHint: "what decoys saw, and what of it is in production", "诱饵所见，以及其中已到达生产环境者";
    HoneynetBoth: "On decoys and in production", "诱饵与生产环境均出现";
    HoneynetEarly: "On decoys alone: early news", "仅见于诱饵：早期消息";
    HoneynetNoise: "On decoys alone: background noise", "仅见于诱饵：背景噪声";
    HoneynetBefore: "on decoy {0} {1} before production", "在诱饵 {0} 上早于生产环境 {1}";
    HoneynetAfter: "in production {1} before decoy {0}", "生产环境早于诱饵 {0} {1}";
    HoneynetUntimed: "on decoy {0}; which was first is not known", "见于诱饵 {0}；先后未知";
    HoneynetLabelled: "{0} production episodes have the same graph as decoy {1}, entry {2}", "{0} 个生产片段与诱饵 {1} 的图相同，入口 {2}";
    HoneynetProduction: "production hosts: {0}", "生产主机：{0}";
    WarningSurge: "surge", "激增";
    Spread: "Spread", "扩散";
    PatientZero: "Patient zero", "首台失陷主机";
    Likelihood: "Likelihood", "可能性";
    LookAt: "Look at", "建议查看";
    Verdict: "Verdict", "结论";
    MissedByAlerts: "missed by alerts", "告警遗漏";
    Discrepancies: "Discrepancies", "矛盾之处";
    From: "From", "从";
    To: "To", "到";
    Method: "Method", "方式";
    Kind: "Kind", "类型";
    Value: "Value", "值";
    Context: "Context", "上下文";
    Strength: "Strength", "强度";
    Behaviour: "Behaviour", "行为";
    Technique: "Technique", "技术";
    Time: "Time", "时间";
    Theme: "Dark / light", "深色 / 浅色";
    Footer: "Offline and self-contained: nothing on this page loads or runs anything from the logs. Secrets are masked. Times are UTC.", "离线自包含：本页不会加载或执行日志中的任何内容。机密已屏蔽。时间为 UTC。";
    SpreadVerdictsHint: "Missing evidence gives unknown, never “not attacked”.", "缺少证据时结论为未知，而不是“未受攻击”。";
    JustHosts: "hosts", "台主机";
    NoScript: "This page needs its own script for search and for the other gangs; report.md holds the same in plain text.", "搜索和查看其他团伙需要启用本页脚本；report.md 中有相同的纯文本内容。";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<char> {
        let mut out: Vec<char> = text.split('{').skip(1).filter_map(|it| it.chars().next()).collect();
        out.sort_unstable();
        out
    }

    #[test]
    fn no_message_is_missing_in_either_language() {
        for message in Msg::ALL {
            let (en, zh) = (message.text(Lang::En), message.text(Lang::Zh));
            assert!(!en.trim().is_empty() && !zh.trim().is_empty(), "{}", message.key());
            // `AnswerGang` says "one" in words.
            if *message != Msg::AnswerGang {
                assert_eq!(places(en), places(zh), "{}", message.key());
            }
            let same_in_both = ["Attack"];
            assert!(en != zh || same_in_both.contains(&message.key()), "{} is not translated", message.key());
        }
    }

    #[test]
    fn places_are_filled_and_values_are_not_read_again() {
        assert_eq!(Msg::Shown.with(Lang::En, &["{1}", "2"]), "{1} of 2");
        assert_eq!(Msg::Shown.with(Lang::En, &[]), " of ");
    }
}
