// Runs a command and lets one of its system calls fail: the n-th of a kind on files below a directory.
//
//   FAULT_ROOT=DIR FAULT_LOG=FILE [FAULT_CALL=write FAULT_NTH=3 FAULT_ERRNO=28|FAULT_SHORT=1 [FAULT_STICKY=1]]
//   fault-launcher COMMAND...
//
// A command that goes on after a fault asks for the next one by opening a path that is not there, see take_order().
//
// The kernel hands the calls over (seccomp_unotify(2)), so it does not matter who makes them: Node, libuv's threads,
// the addon, whose symbols a preloaded library cannot replace (RTLD_DEEPBIND), or SQLite. All threads count together.
// With FAULT_STICKY every call from the n-th on fails. Without FAULT_NTH calls are counted only. The log has a line
// `call count` for each kind that occurred, and `failed call path` for each that was made to fail. A short call is made
// here, with half of its bytes; calls of one byte are passed on and do not count for it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// What leads to the file: a descriptor, or a path (with a directory's descriptor) in one or two of the arguments.
enum target { FD, PATH, AT, PATHS, ATS };

struct call {
  int number;
  const char* name;
  enum target target;
};

static const struct call CALLS[] = {
    {SYS_openat, "open", AT},         {SYS_read, "read", FD},         {SYS_pread64, "read", FD},
    {SYS_readv, "read", FD},          {SYS_preadv, "read", FD},       {SYS_write, "write", FD},
    {SYS_pwrite64, "write", FD},      {SYS_writev, "write", FD},      {SYS_pwritev, "write", FD},
    {SYS_fsync, "fsync", FD},         {SYS_fdatasync, "fsync", FD},   {SYS_ftruncate, "truncate", FD},
    {SYS_fallocate, "fallocate", FD}, {SYS_close, "close", FD},       {SYS_getdents64, "readdir", FD},
    {SYS_fchmod, "chmod", FD},        {SYS_fchmodat, "chmod", AT},    {SYS_fchown, "chown", FD},
    {SYS_flock, "flock", FD},         {SYS_fstat, "stat", FD},        {SYS_statx, "stat", AT},
    {SYS_newfstatat, "stat", AT},     {SYS_mkdirat, "mkdir", AT},     {SYS_unlinkat, "unlink", AT},
    {SYS_linkat, "link", ATS},        {SYS_renameat2, "rename", ATS},
#ifdef SYS_open  // what arm64 does without
    {SYS_open, "open", PATH},         {SYS_stat, "stat", PATH},       {SYS_lstat, "stat", PATH},
    {SYS_mkdir, "mkdir", PATH},       {SYS_rmdir, "unlink", PATH},    {SYS_unlink, "unlink", PATH},
    {SYS_chmod, "chmod", PATH},       {SYS_link, "link", PATHS},      {SYS_rename, "rename", PATHS},
    {SYS_renameat, "rename", ATS},
#endif
};
enum { CALL_COUNT = sizeof CALLS / sizeof CALLS[0], MOST_BYTES = 1 << 20 };

static unsigned counts[CALL_COUNT];
static FILE* log_file;
static const char* log_path;
static char root[PATH_MAX];
static char wanted[32];
static long nth;
static int sticky, short_count, error_number;
static char buffer[MOST_BYTES];

static void die(const char* what) {
  fprintf(stderr, "fault-launcher: %s: %s\n", what, strerror(errno));
  exit(125);
}

static int below_root(const char* path) {
  const size_t length = strlen(root);
  return length > 0 && strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int read_link(pid_t process, const char* what, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/%d/%s", process, what);
  const ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = '\0';
  return length > 0;
}

static int path_of_descriptor(pid_t process, int fd, char* path) {
  char name[32];
  snprintf(name, sizeof name, "fd/%d", fd);
  return fd == AT_FDCWD ? read_link(process, "cwd", path) : read_link(process, name, path);
}

// Reads a string up to the end of its page, and further only if it does not end there.
static int path_of_argument(pid_t process, int directory, unsigned long address, char* path) {
  char text[PATH_MAX];
  size_t filled = 0;
  while (filled < sizeof text) {
    size_t piece = 4096 - (address + filled) % 4096;
    if (piece > sizeof text - filled) piece = sizeof text - filled;
    struct iovec here = {text + filled, piece}, there = {(void*)(address + filled), piece};
    if (process_vm_readv(process, &here, 1, &there, 1, 0) != (ssize_t)piece) return 0;
    if (memchr(text + filled, '\0', piece) != NULL) break;
    filled += piece;
  }
  if (filled >= sizeof text) return 0;
  if (text[0] == '/') {
    strcpy(path, text);
    return 1;
  }
  if (!path_of_descriptor(process, directory, path)) return 0;
  if (text[0] == '\0' || strcmp(text, ".") == 0) return 1;
  const size_t length = strlen(path);
  snprintf(path + length, PATH_MAX - length, "/%s", text);
  return 1;
}

// Whether the call is about a file below the root; `path` is set to its name then.
static int concerns(const struct call* call, pid_t process, const __u64* args, char* path) {
  switch (call->target) {
    case FD:
      return path_of_descriptor(process, (int)args[0], path) && below_root(path);
    case PATH:
      return path_of_argument(process, AT_FDCWD, args[0], path) && below_root(path);
    case AT:
      return path_of_argument(process, (int)args[0], args[1], path) && below_root(path);
    case PATHS:
      return (path_of_argument(process, AT_FDCWD, args[0], path) && below_root(path)) ||
             (path_of_argument(process, AT_FDCWD, args[1], path) && below_root(path));
    case ATS:
      return (path_of_argument(process, (int)args[0], args[1], path) && below_root(path)) ||
             (path_of_argument(process, (int)args[2], args[3], path) && below_root(path));
  }
  return 0;
}

// Where a call's bytes are: the first piece for readv and writev.
static struct iovec bytes_of(int number, pid_t process, const __u64* args) {
  struct iovec bytes = {(void*)args[1], args[2]};
  if (number == SYS_readv || number == SYS_writev || number == SYS_preadv || number == SYS_pwritev) {
    struct iovec here = {&bytes, sizeof bytes}, there = {(void*)args[1], sizeof bytes};
    if (process_vm_readv(process, &here, 1, &there, 1, 0) != sizeof bytes) bytes.iov_len = 0;
  }
  return bytes;
}

static pid_t group_of(pid_t thread) {
  char path[64], line[256];
  pid_t group = thread;
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  FILE* file = fopen(path, "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL && sscanf(line, "Tgid: %d", &group) != 1) continue;
  if (file != NULL) fclose(file);
  return group;
}

// Makes the call with half of its bytes. Its result, or minus the errno.
static long do_half(const struct seccomp_notif* request) {
  const int number = request->data.nr;
  const __u64* args = request->data.args;
  struct iovec there = bytes_of(number, (pid_t)request->pid, args);
  there.iov_len = there.iov_len / 2 < MOST_BYTES ? there.iov_len / 2 : MOST_BYTES;
  struct iovec here = {buffer, there.iov_len};
  const int process = (int)syscall(SYS_pidfd_open, group_of((pid_t)request->pid), 0);
  const int fd = (int)syscall(SYS_pidfd_getfd, process, (int)args[0], 0);
  if (fd < 0) die("pidfd_getfd");
  close(process);
  const int placed = number != SYS_read && number != SYS_readv && number != SYS_write && number != SYS_writev;
  const int writes = number == SYS_write || number == SYS_pwrite64 || number == SYS_writev || number == SYS_pwritev;
  long result = 0;
  if (writes) {
    if (process_vm_readv((pid_t)request->pid, &here, 1, &there, 1, 0) < 0) die("process_vm_readv");
    result = placed ? pwrite(fd, buffer, here.iov_len, (off_t)args[3]) : write(fd, buffer, here.iov_len);
  } else {
    result = placed ? pread(fd, buffer, here.iov_len, (off_t)args[3]) : read(fd, buffer, here.iov_len);
    here.iov_len = there.iov_len = result > 0 ? (size_t)result : 0;
    if (result > 0 && process_vm_writev((pid_t)request->pid, &here, 1, &there, 1, 0) < 0) die("process_vm_writev");
  }
  if (result < 0) result = -errno;
  close(fd);
  return result;
}

static const struct call* call_of(int number) {
  for (int i = 0; i < CALL_COUNT; i++) {
    if (CALLS[i].number == number) return &CALLS[i];
  }
  return NULL;
}

// Counts under the first entry of the call's name.
static unsigned count(const struct call* call) {
  for (int i = 0; i < CALL_COUNT; i++) {
    if (strcmp(CALLS[i].name, call->name) == 0) return ++counts[i];
  }
  return 0;
}

static void write_counts(void) {
  for (int i = 0; i < CALL_COUNT; i++) {
    if (counts[i] > 0) fprintf(log_file, "%s %u\n", CALLS[i].name, counts[i]);
  }
  fflush(log_file);
}

// `/callseal-fault/CALL/NTH/ERRNO/SHORT/STICKY//ROOT` begins a new log and a new count; `/callseal-fault/end` completes
// the log, and nothing is counted any more.
static int take_order(const char* path) {
  static const char kPrefix[] = "/callseal-fault/";
  if (strncmp(path, kPrefix, sizeof kPrefix - 1) != 0) return 0;
  const char* order = path + sizeof kPrefix - 1;
  const char* new_root = strstr(order, "//");
  if (new_root == NULL) {
    write_counts();
    root[0] = '\0';
    return 1;
  }
  if (sscanf(order, "%31[a-z]/%ld/%d/%d/%d", wanted, &nth, &error_number, &short_count, &sticky) != 5) die(path);
  snprintf(root, sizeof root, "%s", new_root + 1);
  memset(counts, 0, sizeof counts);
  log_file = freopen(log_path, "we", log_file);
  if (log_file == NULL) die(log_path);
  return 1;
}

static void answer(const struct seccomp_notif* request, struct seccomp_notif_resp* response) {
  char path[PATH_MAX];
  const struct call* call = call_of(request->data.nr);
  response->id = request->id;
  response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  if (call != NULL && call->target == AT &&
      path_of_argument((pid_t)request->pid, (int)request->data.args[0], request->data.args[1], path) &&
      take_order(path)) {
    return;
  }
  if (call == NULL || !concerns(call, (pid_t)request->pid, request->data.args, path)) return;
  const int matters = strcmp(wanted, call->name) == 0;
  if (matters && short_count && bytes_of(request->data.nr, (pid_t)request->pid, request->data.args).iov_len < 2) return;
  const long now = count(call);
  if (!matters || nth == 0 || (sticky ? now < nth : now != nth)) return;
  fprintf(log_file, "failed %s %s\n", call->name, path);
  response->flags = 0;
  if (short_count) {
    const long result = do_half(request);
    response->val = result < 0 ? 0 : result;
    response->error = result < 0 ? (int)result : 0;
  } else {
    response->error = -error_number;
  }
}

static void pass_descriptor(int socket, int fd) {
  char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec bytes = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) die("sendmsg");
}

static int take_descriptor(int socket) {
  int fd = -1;
  char byte, control[CMSG_SPACE(sizeof fd)];
  struct iovec bytes = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL) return -1;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

// Hands the calls of this process, and of what it becomes, to whoever has the descriptor that is returned.
static int install_filter(void) {
  struct sock_filter filter[CALL_COUNT + 3];
  int length = 0;
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < CALL_COUNT; i++) {
    const unsigned char to_end = (unsigned char)(CALL_COUNT - i);
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, to_end, 0);
  }
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  struct sock_fprog program = {(unsigned short)length, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void become(char** command, int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int listener = install_filter();
  if (listener < 0) die("seccomp");
  pass_descriptor(socket, listener);
  execvp(command[0], command);
  die(command[0]);
}

static void supervise(int listener, pid_t child) {
  struct pollfd waits[] = {{listener, POLLIN, 0}, {(int)syscall(SYS_pidfd_open, child, 0), POLLIN, 0}};
  for (;;) {
    if (poll(waits, 2, -1) < 0) die("poll");
    if (waits[0].revents & POLLIN) {
      struct seccomp_notif request = {0};
      struct seccomp_notif_resp response = {0};
      if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;  // it died meanwhile
      answer(&request, &response);
      ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    } else if (waits[0].revents != 0 || waits[1].revents != 0) {
      return;
    }
  }
}

static long number_of(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? 0 : atol(text);
}

int main(int argc, char** argv) {
  const char* first_root = getenv("FAULT_ROOT");
  const char* first_call = getenv("FAULT_CALL");
  log_path = getenv("FAULT_LOG");
  if (argc < 2 || first_root == NULL || log_path == NULL) {
    fprintf(stderr, "fault-launcher: wants FAULT_ROOT, FAULT_LOG and a command\n");
    return 125;
  }
  snprintf(root, sizeof root, "%s", first_root);
  snprintf(wanted, sizeof wanted, "%s", first_call == NULL ? "" : first_call);
  nth = number_of("FAULT_NTH");
  sticky = (int)number_of("FAULT_STICKY");
  short_count = (int)number_of("FAULT_SHORT");
  error_number = (int)number_of("FAULT_ERRNO");
  log_file = fopen(log_path, "we");
  int sockets[2];
  if (log_file == NULL) die(log_path);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) die("socketpair");
  const pid_t child = fork();
  if (child == 0) become(argv + 1, sockets[1]);
  close(sockets[1]);
  const int listener = take_descriptor(sockets[0]);
  if (listener >= 0) supervise(listener, child);
  int status = 0;
  waitpid(child, &status, 0);
  write_counts();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
