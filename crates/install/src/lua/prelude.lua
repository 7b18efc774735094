-- The libraries that scriptlets in Lua find. All that acts goes through `native`, which knows nothing but the root.
local native, text_load, date, next_path, at = ...

local function answer(good, ...)
    if good then return ... end
    return nil, ...
end

local function call(operation, ...) return answer(native(operation, ...)) end

print = function(...)
    local words = table.pack(...)
    for index = 1, words.n do words[index] = tostring(words[index]) end
    native("say", table.concat(words, "\t") .. "\n")
end
load = function(chunk, name, mode, env)
    if env == nil then return text_load(chunk, name, "t") end
    return text_load(chunk, name, "t", env)
end
loadstring = load
dofile, loadfile, collectgarbage = nil, nil, nil

-- Files: read as a whole when opened, written as a whole when closed.
local File = {}
File.__index = File
File.__name = "FILE*"
local open_files = {}

local function flush(file)
    if file.changed then
        local good, message = call("write", file.path, file.bytes)
        file.changed = false
        if not good then return nil, message end
    end
    return file
end

function File:close()
    if self.stream then return true end
    local good, message = flush(self)
    open_files[self], self.closed = nil, true
    if not good then return nil, message end
    return true
end
function File:flush()
    if self.stream then return self end
    return flush(self)
end
function File:seek(whence, offset)
    local base = { set = 0, cur = self.at, ["end"] = #self.bytes }
    local to = (base[whence or "cur"] or 0) + (offset or 0)
    if to < 0 then return nil, "Invalid argument", 22 end
    self.at = to
    return to
end
function File:setvbuf() return true end
function File:write(...)
    for _, word in ipairs({ ... }) do
        word = tostring(word)
        if self.stream then
            native("say", word)
        elseif self.closed or not self.writes then
            return nil, "Bad file descriptor", 9
        else
            local at = self.appends and #self.bytes or self.at
            if at > #self.bytes then self.bytes = self.bytes .. string.rep("\0", at - #self.bytes) end
            self.bytes = self.bytes:sub(1, at) .. word .. self.bytes:sub(at + #word + 1)
            self.at, self.changed = at + #word, true
        end
    end
    return self
end
local function read_one(file, form)
    if type(form) == "number" then
        if file.at >= #file.bytes and form > 0 then return nil end
        local got = file.bytes:sub(file.at + 1, file.at + form)
        file.at = file.at + #got
        return got
    end
    form = form:gsub("^%*", ""):sub(1, 1)
    if form == "a" then
        local got = file.bytes:sub(file.at + 1)
        file.at = #file.bytes
        return got
    elseif form == "n" then
        local from, to = file.bytes:find("^%s*[%+%-]?[%x%.xX]+", file.at + 1)
        if not from then return nil end
        file.at = to
        return tonumber((file.bytes:sub(from, to):gsub("^%s+", "")))
    end
    if file.at >= #file.bytes then return nil end
    local stop = file.bytes:find("\n", file.at + 1, true)
    local got = file.bytes:sub(file.at + 1, stop and stop - (form == "L" and 0 or 1) or nil)
    file.at = stop or #file.bytes
    return got
end
function File:read(...)
    if self.stream or self.closed or not self.reads then return nil, "Bad file descriptor", 9 end
    local forms, got = table.pack(...), {}
    if forms.n == 0 then return read_one(self, "l") end
    for index = 1, forms.n do
        got[index] = read_one(self, forms[index])
        if got[index] == nil then break end
    end
    return table.unpack(got, 1, forms.n)
end
function File:lines(...)
    local forms = { ... }
    return function() return self:read(table.unpack(forms)) end
end

io = {}
function io.open(path, mode)
    mode = (mode or "r"):gsub("b", "")
    local bytes, message, number = call("read", path)
    if mode:sub(1, 1) == "r" then
        if not bytes then return nil, message, number end
    elseif mode:sub(1, 1) == "w" or not bytes then
        local made, why, code = call("write", path, mode:sub(1, 1) == "w" and "" or (bytes or ""))
        if not made then return nil, why, code end
        bytes = ""
    end
    local file = setmetatable({
        path = path, bytes = bytes, at = 0, appends = mode:sub(1, 1) == "a",
        reads = mode:find("r") ~= nil or mode:find("+", 1, true) ~= nil,
        writes = mode ~= "r",
    }, File)
    open_files[file] = true
    return file
end
function io.lines(path, ...)
    local file, message = io.open(path)
    if not file then error(message, 2) end
    return file:lines(...)
end
io.stdout = setmetatable({ stream = true }, File)
io.stderr = setmetatable({ stream = true }, File)
io.stdin = setmetatable({ bytes = "", at = 0, reads = true }, File)
function io.write(...) return io.stdout:write(...) end
function io.read() return nil end
function io.close(file) return file:close() end
function io.output() return io.stdout end
function io.input() return io.stdin end
function io.type(file)
    if getmetatable(file) ~= File then return nil end
    return file.closed and "closed file" or "file"
end

local environment = { PATH = "/sbin:/bin:/usr/sbin:/usr/bin", HOME = "/root", LC_ALL = "C.UTF-8" }
local function flush_all()
    for file in pairs(open_files) do flush(file) end
end
local function run(...)
    flush_all()
    return call("run", ...)
end
os = {
    time = function(when)
        if when == nil then return at end
        local days = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }
        local year = when.month > 2 and when.year or when.year - 1
        local leaps = year // 4 - year // 100 + year // 400 - 477
        local day = (when.year - 1970) * 365 + leaps + days[when.month] + when.day - 1
        return day * 86400 + (when.hour or 12) * 3600 + (when.min or 0) * 60 + (when.sec or 0)
    end,
    date = function(form, time)
        form = form or "%c"
        if form:sub(1, 1) ~= "!" then form = "!" .. form end
        return date(form, time or at)
    end,
    clock = function() return 0 end,
    difftime = function(one, other) return one - other end,
    getenv = function(name) return environment[name] end,
    remove = function(path) return call("remove", path) end,
    rename = function(from, to) return call("rename", from, to) end,
    execute = function(command)
        if command == nil then return true end
        local status, message = run("/bin/sh", "-c", command)
        if status == nil then return nil, "exit", message end
        if status == 0 then return true, "exit", 0 end
        return nil, "exit", status
    end,
    exit = function() error("a scriptlet may not end the transaction", 0) end,
}

local function refused(name)
    return function() error(name .. " cannot be used in a scriptlet here", 2) end
end

rpm = {
    execute = function(...) return run(...) end,
    spawn = function(words) return run(table.unpack(words)) end,
    vercmp = function(one, other) return call("vercmp", one, other) end,
    b64encode = function(bytes) return call("b64encode", bytes) end,
    b64decode = function(bytes) return call("b64decode", bytes) end,
    glob = function(pattern) return call("glob", pattern) end,
    open = function(path, mode) return io.open(path, (mode or "r"):gsub("%..*", "")) end,
    next_file = next_path,
    redirect2null = function() return 0 end,
    isdefined = function() return false, false end,
    expand = function(text)
        if text:find("%", 1, true) then error("macros are not known when packages are installed: `" .. text .. "`", 2) end
        return text
    end,
    input = refused("rpm.input"), interactive = refused("rpm.interactive"), load = refused("rpm.load"),
    define = refused("rpm.define"), undefine = refused("rpm.undefine"), call = refused("rpm.call"),
}

posix = {
    access = function(path, mode) return call("access", path, mode or "f") end,
    chdir = function(path) return call("chdir", path) end,
    chmod = function(path, mode) return call("chmod", path, mode) end,
    chown = function(path, user, group) return call("chown", path, user or -1, group or -1) end,
    ctermid = function() return "/dev/tty" end,
    dir = function(path) return call("dir", path or ".") end,
    errno = function() return call("errno") end,
    files = function(path)
        local names, message = call("dir", path or ".")
        if not names then error(message, 2) end
        local index = 0
        return function()
            index = index + 1
            return names[index]
        end
    end,
    getcwd = function() return call("getcwd") end,
    getenv = function(name)
        if name == nil then return environment end
        return environment[name]
    end,
    setenv = function(name, value) environment[name] = value return 0 end,
    putenv = function(text)
        local name, value = text:match("^([^=]*)=(.*)$")
        if name then environment[name] = value end
        return 0
    end,
    unsetenv = function(name) environment[name] = nil return 0 end,
    getgroup = function(name) return call("getgroup", name) end,
    getlogin = function() return "root" end,
    getpasswd = function(name, field)
        local user, message = call("getpasswd", name or "root")
        if not user or field == nil then return user, message end
        return user[field]
    end,
    getprocessid = function(field)
        local ids = { egid = 0, euid = 0, gid = 0, uid = 0, pgrp = 1, pid = 1, ppid = 0 }
        if field then return ids[field] end
        return ids
    end,
    link = function(from, to) return call("link", from, to) end,
    mkdir = function(path) return call("mkdir", path) end,
    mkfifo = function(path) return call("mkfifo", path) end,
    readlink = function(path) return call("readlink", path) end,
    rmdir = function(path) return call("rmdir", path) end,
    setgid = refused("posix.setgid"), setuid = refused("posix.setuid"), kill = refused("posix.kill"),
    fork = refused("posix.fork"), exec = refused("posix.exec"), wait = refused("posix.wait"),
    sleep = function() return 0 end,
    stat = function(path, field)
        local found, message, number = call("stat", path)
        if not found or field == nil then return found, message, number end
        return found[field]
    end,
    symlink = function(from, to) return call("symlink", from, to) end,
    umask = function() return "rwxr-xr-x" end,
    uname = function(form)
        local words = { s = "Linux", n = "localhost", r = "", v = "", m = call("machine") }
        return ((form or "%s %n %r %v %m"):gsub("%%(%a)", words))
    end,
    unlink = function(path) return call("unlink", path) end,
    utime = function(path, modified) return call("utime", path, modified or at) end,
    redirect2null = function() return 0 end,
}
math.randomseed(at)
return flush_all
