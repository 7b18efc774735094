//! Scriptlets in Lua: what they do to the tree, and what they are refused.

use rpm::ScriptletKind;
use rpm::write::NewFile;
use testkit::packages::{builder, filesystem};

use crate::oracle;
use crate::yard::{Yard, listing, path, text};

const WORK: &str = r#"
-- Each step leaves a line in /var/lib/lua/log, which is compared with what rpm's own interpreter leaves.
assert(posix.mkdir("/var/lib/lua"))
local log = assert(io.open("/var/lib/lua/log", "w"))
local function say(...) log:write(table.concat({...}, " "), "\n") end
say("arguments", #arg, arg[2])
say("stat", posix.stat("/usr/share/lua/one", "type"), posix.stat("/usr/share/lua/one", "size"), posix.stat("/usr/share/lua/one").mode)
say("none", tostring(posix.stat("/nothing")), (select(2, io.open("/nothing"))))
say("link", posix.readlink("/usr/share/lua/link"), posix.stat("/usr/share/lua/link", "type"))
assert(posix.symlink("one", "/usr/share/lua/second"))
assert(posix.chmod("/usr/share/lua/one", "rwxr-x---"))
assert(posix.chmod("/usr/share/lua/two", "0600"))
assert(posix.utime("/usr/share/lua/two", 1234567890, 1234567890))
assert(posix.utime("/usr/share/lua/one", 1234567891, 1234567891))
assert(posix.link("/usr/share/lua/two", "/usr/share/lua/three"))
assert(os.rename("/usr/share/lua/folder", "/usr/share/lua/moved"))
say("rename", tostring(os.rename("/nothing", "/x")), (select(2, os.rename("/nothing", "/x"))))
assert(os.remove("/usr/share/lua/gone"))
say("rmdir", tostring(posix.rmdir("/usr/share/lua/moved")))
local names = {}
for name in posix.files("/usr/share/lua") do table.insert(names, name) end
table.sort(names)
say("files", table.concat(names, ","))
local text = assert(io.open("/usr/share/lua/text"))
say("lines", text:read(), text:read("n"), text:read("*l"), text:read(3), text:read("a"))
text:close()
for line in io.lines("/usr/share/lua/text") do say("line", line) end
local more = assert(io.open("/usr/share/lua/text", "a"))
more:write("more ", 7, "\n")
more:close()
local both = assert(io.open("/usr/share/lua/both", "r+"))
both:seek("set", 2)
both:write("XX")
both:seek("end")
both:write("!")
both:close()
say("vercmp", rpm.vercmp("1.0~rc1", "1.0"), rpm.vercmp("2", "10"))
say("access", tostring(posix.access("/usr/share/lua/one", "x")), tostring(posix.access("/nothing")))
say("user", posix.getpasswd("root", "uid"), posix.getpasswd("root", "shell"))
say("base64", rpm.b64encode("some bytes", 0):gsub("%s", ""), rpm.b64decode("aGk="))
say("date", os.date("!%Y-%m-%d", 86400 * 365))
assert(posix.chown("/usr/share/lua/one", 12, "mail"))
say("chdir", tostring(posix.chdir("/usr/share")), posix.getcwd())
log:close()
posix.utime("/var/lib/lua/log", 1, 1)
posix.utime("/usr/share/lua/text", 1, 1)
posix.utime("/usr/share/lua/both", 1, 1)
"#;

fn working() -> rpm::write::PackageBuilder {
    let mut package = builder("lua").requires("filesystem");
    for (name, text) in [
        ("one", "1"),
        ("two", "22"),
        ("gone", ""),
        ("text", "first\n42\nthird\nand the rest\nof it\n"),
        ("both", "abcdef"),
        ("folder/in", "in"),
    ] {
        package = package.file(&format!("/usr/share/lua/{name}"), NewFile::regular(text));
    }
    package
        .file("/usr/share/lua", NewFile::directory())
        .file("/usr/share/lua/folder", NewFile::directory())
        .file("/usr/share/lua/link", NewFile::symlink("one"))
        .scriptlet(ScriptletKind::Post, "<lua>", WORK)
}

#[test]
fn files_lua_does_to_a_tree_what_rpm_lets_it_do_to_a_root() {
    let yard = Yard::new();
    let installed = yard.fill(vec![filesystem(), working()]).unwrap();
    assert_eq!(installed.scriptlets[0].failure, None, "{:?}", installed.scriptlets);
    assert_eq!(text(&installed, "usr/share/lua/both"), "abXXef!");
    if !oracle::can_ask(&yard.host) {
        return;
    }
    let theirs = yard.folder.path().join("theirs");
    fs_err::create_dir(&theirs).unwrap();
    let (good, said) = oracle::install(&yard.host, &theirs, &yard.files(vec![filesystem(), working()]));
    assert!(good && said.is_empty(), "{said:?}");
    assert_eq!(text(&installed, "var/lib/lua/log"), fs_err::read_to_string(theirs.join("var/lib/lua/log")).unwrap());
    let (ours, theirs) = (oracle::comparable(&installed.tree), oracle::comparable(&oracle::read(&theirs)));
    for at in ours.keys().chain(theirs.keys()) {
        assert_eq!(ours.get(at), theirs.get(at), "{at}");
    }
}

#[test]
fn files_lua_sees_nothing_of_this_machine() {
    for (body, expected) in [
        ("assert(io.open('/etc/machine-id'))", "No such file"),
        ("assert(loadfile == nil and dofile == nil and require == nil); error('none', 0)", "none"),
        ("load('\\27Lua')()", ""),
        ("posix.fork()", "cannot be used"),
        ("rpm.expand('%{_dbpath}')", "macros are not known"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end", "memory"),
        ("while true do end", "too long"),
        ("assert(io.open('../../../../etc/machine-id'))", "No such file"),
        ("os.exit(1)", "may not end"),
        ("syntax error", "syntax error"),
    ] {
        let yard = Yard::new();
        let package = builder("lua").requires("filesystem").scriptlet(ScriptletKind::Post, "<lua>", body);
        let installed = yard.fill(vec![filesystem(), package]).unwrap();
        let failure = installed.scriptlets[0].failure.clone().unwrap_or_default();
        assert!(!failure.is_empty() && failure.contains(expected), "{body}: {failure}");
    }
}

#[test]
fn files_a_failing_pretrans_in_lua_stops() {
    let yard = Yard::new();
    let package = builder("lua").scriptlet(ScriptletKind::Pretrans, "<lua>", "print('no'); error('not here', 0)");
    let error = yard.refusal(vec![filesystem(), package]).to_string();
    assert!(error.contains("%pretrans of `lua-1.0-1.noarch` failed") && error.ends_with("no"), "{error}");
    let said = builder("said").requires("filesystem").scriptlet(
        ScriptletKind::Post,
        "<lua>",
        "print('one', 2); io.write('three\\n'); io.stderr:write('four\\n')",
    );
    let installed = yard.fill(vec![filesystem(), said]).unwrap();
    assert_eq!(installed.scriptlets[0].output, ["one\t2", "three", "four"]);
    assert!(listing(&installed.tree).contains_key("/etc"), "{:?}", path("etc"));
}
