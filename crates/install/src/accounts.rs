//! Users and groups of the root that is being filled, and the sysusers files that add some.
//!
//! Source: passwd(5), shadow(5), group(5), gshadow(5), sysusers.d(5).

use std::collections::BTreeSet;

use pkg::SourceDateEpoch;

use crate::InstallError;

/// The users and groups of a root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct User {
    name: String,
    uid: u32,
    line: String,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    gid: u32,
    password: String,
    members: Vec<String>,
}

/// The four account files, as they are to be written.
pub(crate) struct AccountFiles {
    pub(crate) passwd: String,
    pub(crate) group: String,
    pub(crate) shadow: String,
    pub(crate) gshadow: String,
}

/// Numbers for users and groups of the system, given out from the top (`SYS_UID_MAX`, login.defs(5)).
const SYSTEM_IDS: std::ops::RangeInclusive<u32> = 100..=999;

impl Accounts {
    /// Reads `/etc/passwd` and `/etc/group`. Without them there is `root` alone.
    pub(crate) fn parse(passwd: &str, group: &str) -> Result<Accounts, InstallError> {
        let mut accounts = Accounts::default();
        for (index, line) in passwd.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let fields: Vec<&str> = line.split(':').collect();
            let uid = fields.get(2).and_then(|uid| uid.parse().ok());
            let (Some(uid), 7) = (uid, fields.len()) else { return Err(wrong("/etc/passwd", index, line)) };
            accounts.users.push(User { name: fields[0].to_owned(), uid, line: line.to_owned() });
        }
        for (index, line) in group.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let fields: Vec<&str> = line.split(':').collect();
            let gid = fields.get(2).and_then(|gid| gid.parse().ok());
            let (Some(gid), 4) = (gid, fields.len()) else { return Err(wrong("/etc/group", index, line)) };
            let members = fields[3].split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let (name, password) = (fields[0].to_owned(), fields[1].to_owned());
            accounts.groups.push(Group { name, gid, password, members });
        }
        Ok(accounts)
    }

    pub(crate) fn uid(&self, name: &str) -> Option<u32> {
        self.users.iter().find(|user| user.name == name).map(|user| user.uid).or((name == "root").then_some(0))
    }

    pub(crate) fn gid(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| group.name == name).map(|group| group.gid).or((name == "root").then_some(0))
    }

    /// Applies one sysusers file. What exists already stays as it is.
    pub(crate) fn apply_sysusers(&mut self, file: &str, text: &str) -> Result<(), InstallError> {
        for (index, line) in text.lines().enumerate() {
            let fields = split_fields(line);
            if fields.is_empty() || fields[0].starts_with('#') {
                continue;
            }
            if fields[0] == "r" {
                // A range of numbers to choose from: our own choice lies in every sensible one.
                continue;
            }
            let field = |index: usize| fields.get(index).map(String::as_str).filter(|text| *text != "-");
            let name = field(1).ok_or_else(|| wrong(file, index, line))?;
            let id = field(2);
            match fields[0].trim_end_matches('!') {
                "u" => self.add_user(name, id, field(3), field(4), field(5)).ok_or_else(|| wrong(file, index, line))?,
                "g" => self.add_group(name, id).ok_or_else(|| wrong(file, index, line))?,
                "m" => {
                    let group = id.ok_or_else(|| wrong(file, index, line))?;
                    self.add_user(name, None, None, None, None).ok_or_else(|| wrong(file, index, line))?;
                    self.add_group(group, None).ok_or_else(|| wrong(file, index, line))?;
                    if let Some(found) = self.groups.iter_mut().find(|found| found.name == group)
                        && !found.members.iter().any(|member| member == name)
                    {
                        found.members.push(name.to_owned());
                    }
                }
                _ => return Err(wrong(file, index, line)),
            }
        }
        Ok(())
    }

    fn add_user(
        &mut self,
        name: &str,
        id: Option<&str>,
        description: Option<&str>,
        home: Option<&str>,
        shell: Option<&str>,
    ) -> Option<()> {
        if self.users.iter().any(|user| user.name == name) {
            return Some(());
        }
        let (uid, group) = match id {
            Some(id) => match id.split_once(':') {
                Some((uid, group)) => (uid.parse().ok().or_else(|| (uid == "-").then(|| self.free_id())), Some(group)),
                None => (id.parse().ok(), None),
            },
            None => (None, None),
        };
        if id.is_some_and(|id| id.starts_with('/')) || (id.is_some() && uid.is_none()) {
            return None;
        }
        let (uid, gid) = match group {
            Some(group) => (uid?, group.parse().ok().or_else(|| self.gid(group))?),
            None => {
                // The user's own group has its name, and its number where that is free.
                let existing = self.gid(name);
                let uid = match uid {
                    Some(uid) => uid,
                    None => existing
                        .filter(|gid| !self.users.iter().any(|user| user.uid == *gid))
                        .unwrap_or_else(|| self.free_id()),
                };
                self.add_group(name, Some(&uid.to_string()))?;
                (uid, self.gid(name)?)
            }
        };
        let shell = shell.unwrap_or(if uid == 0 { "/bin/sh" } else { "/usr/sbin/nologin" });
        let line = format!("{name}:x:{uid}:{gid}:{}:{}:{shell}", description.unwrap_or(""), home.unwrap_or("/"));
        self.users.push(User { name: name.to_owned(), uid, line });
        Some(())
    }

    fn add_group(&mut self, name: &str, id: Option<&str>) -> Option<()> {
        if self.groups.iter().any(|group| group.name == name) {
            return Some(());
        }
        let wanted = match id {
            Some(id) => Some(id.parse::<u32>().ok()?),
            None => None,
        };
        let is_free = |gid: &u32| !self.groups.iter().any(|group| group.gid == *gid);
        let gid = wanted.filter(is_free).unwrap_or_else(|| self.free_id());
        self.groups.push(Group { name: name.to_owned(), gid, password: "x".to_owned(), members: Vec::new() });
        Some(())
    }

    fn free_id(&self) -> u32 {
        let used: BTreeSet<u32> =
            self.users.iter().map(|user| user.uid).chain(self.groups.iter().map(|group| group.gid)).collect();
        SYSTEM_IDS.rev().find(|id| !used.contains(id)).unwrap_or(65_534)
    }

    /// The account files; `shadow` and `gshadow` keep the lines that they have and gain locked ones.
    pub(crate) fn files(&self, shadow: &str, gshadow: &str, at: SourceDateEpoch) -> AccountFiles {
        let day = at.0 / 86_400;
        let mut files = AccountFiles {
            passwd: self.users.iter().map(|user| format!("{}\n", user.line)).collect(),
            group: self
                .groups
                .iter()
                .map(|group| format!("{}:{}:{}:{}\n", group.name, group.password, group.gid, group.members.join(",")))
                .collect(),
            shadow: lines(shadow),
            gshadow: String::new(),
        };
        let has_line = |text: &str, name: &str| text.lines().any(|line| line.split(':').next() == Some(name));
        for user in &self.users {
            if !has_line(shadow, &user.name) {
                files.shadow.push_str(&format!("{}:!*:{day}::::::\n", user.name));
            }
        }
        for group in &self.groups {
            let (password, administrators) = gshadow
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find(|fields| fields.len() == 4 && fields[0] == group.name)
                .map_or(("!*", ""), |fields| (fields[1], fields[2]));
            let members = group.members.join(",");
            files.gshadow.push_str(&format!("{}:{password}:{administrators}:{members}\n", group.name));
        }
        files
    }
}

fn lines(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

fn wrong(file: &str, index: usize, line: &str) -> InstallError {
    InstallError::Accounts { file: file.to_owned(), line: index + 1, problem: format!("`{line}` means nothing") }
}

/// Splits a line at blanks; text in quotes stays together.
fn split_fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quote = None;
    let mut is_open = false;
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => field.push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                is_open = true;
            }
            None if c.is_whitespace() => {
                if is_open {
                    fields.push(std::mem::take(&mut field));
                    is_open = false;
                }
            }
            None => {
                field.push(c);
                is_open = true;
            }
        }
    }
    if is_open {
        fields.push(field);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSUSERS: &str = r#"
# comment
u root 0 "Super User" /root /bin/bash
g tty 5
u messagebus 81 "System Message Bus"
u! systemd-network - "Network Management"
u sshd 74:tty "Privilege separation" /usr/share/empty.sshd
m sshd video
r - 500-900
"#;

    #[test]
    fn sysusers_make_accounts() {
        let mut accounts = Accounts::parse("root:x:0:0:root:/root:/bin/bash\n", "root:x:0:\n").unwrap();
        accounts.apply_sysusers("a.conf", SYSUSERS).unwrap();
        accounts.apply_sysusers("a.conf", SYSUSERS).unwrap();
        let files = accounts.files("root:*:1::::::\n", "", SourceDateEpoch(86_400 * 10));
        assert_eq!(
            files.passwd,
            "root:x:0:0:root:/root:/bin/bash\n\
             messagebus:x:81:81:System Message Bus:/:/usr/sbin/nologin\n\
             systemd-network:x:999:999:Network Management:/:/usr/sbin/nologin\n\
             sshd:x:74:5:Privilege separation:/usr/share/empty.sshd:/usr/sbin/nologin\n"
        );
        assert_eq!(files.group, "root:x:0:\ntty:x:5:\nmessagebus:x:81:\nsystemd-network:x:999:\nvideo:x:998:sshd\n");
        assert!(files.shadow.starts_with("root:*:1::::::\nmessagebus:!*:10::::::\n"), "{}", files.shadow);
        assert!(files.gshadow.contains("video:!*::sshd\n"), "{}", files.gshadow);
        assert_eq!((accounts.uid("sshd"), accounts.gid("tty"), accounts.uid("nobody")), (Some(74), Some(5), None));
    }

    #[test]
    fn lines_that_mean_nothing_are_named() {
        let mut accounts = Accounts::default();
        for text in ["x name", "u", "u name twelve", "m name"] {
            let error = accounts.apply_sysusers("bad.conf", text).unwrap_err().to_string();
            assert!(error.starts_with("`bad.conf` line 1"), "{error}");
        }
        assert!(Accounts::parse("root:x:zero:0:::\n", "").is_err());
    }
}
