// Runs a program and has the kernel refuse system calls of it.
//
//   inject refuse CALL=ERRNO[,CALL=ERRNO]... -- COMMAND...
//       Every such call, as a container's seccomp profile does. The command is executed in place.
//   inject at CALL ERRNO FIRST COUNT REPORT OFFSET[,OFFSET]... -- COMMAND...
//       The FIRST to FIRST + COUNT - 1 (COUNT 0: no end) of those calls whose stack holds, in this order, the return
//       addresses that lie at these offsets of the program's file. How many were refused is written to REPORT.
//
// CALL and ERRNO are numbers. Ends as the command does: its status, or by its signal. strace refuses the nth call of every
// thread, from the loader's on; this one refuses by place, and lets the calls before it pass at full speed.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { max_rules = 16, max_offsets = 8, stack_words = 4096, max_threads = 1024 };

// Threads whose close(2) is under way. Linux closes the descriptor whatever it answers, so that call is made, and its answer
// replaced.
static pid_t closing[max_threads];

static pid_t *slot_of(pid_t thread) {
    for (size_t index = 0; index < max_threads; index++)
        if (closing[index] == thread) return &closing[index];
    return NULL;
}

static void die(const char *what) {
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(120);
}

struct rule {
    unsigned call, action;
};

static void install_filter(const struct rule *rules, size_t count) {
    struct sock_filter program[2 * max_rules + 2];
    size_t length = 0;
    program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < count; index++) {
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[index].call, 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rules[index].action);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog description = {.len = (unsigned short)length, .filter = program};
    // Without privileges a filter takes this.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("PR_SET_NO_NEW_PRIVS");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &description) != 0) die("PR_SET_SECCOMP");
}

static void refuse(char *list, char **command) {
    struct rule rules[max_rules];
    size_t count = 0;
    for (char *entry = strtok(list, ","); entry != NULL && count < max_rules; entry = strtok(NULL, ",")) {
        char *end;
        rules[count].call = (unsigned)strtoul(entry, &end, 10);
        rules[count++].action = SECCOMP_RET_ERRNO | (unsigned)strtoul(end + 1, NULL, 10);
    }
    install_filter(rules, count);
    execvp(command[0], command);
    die(command[0]);
}

// Where the program's code lies, and which part of its file that is.
struct text {
    uint64_t start, end, offset;
};

static struct text find_text(pid_t process) {
    char path[64], line[4096], executable[4096];
    struct text text = {0, 0, 0};
    snprintf(path, sizeof path, "/proc/%d/exe", process);
    ssize_t length = readlink(path, executable, sizeof executable - 1);
    if (length < 0) return text;
    executable[length] = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *maps = fopen(path, "re");
    if (maps == NULL) return text;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end, offset;
        char permissions[8];
        if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, permissions, &offset) != 4) continue;
        if (permissions[2] != 'x' || strstr(line, executable) == NULL) continue;
        text = (struct text){start, end, offset};
        break;
    }
    fclose(maps);
    return text;
}

// Whether the thread's stack holds the addresses, the innermost first.
static int is_here(pid_t thread, uint64_t stack, struct text text, const uint64_t *offsets, size_t count) {
    static uint64_t words[stack_words];
    struct iovec local = {words, sizeof words}, remote = {(void *)stack, sizeof words};
    ssize_t got = -1;
    // The stack may end before that many bytes.
    while (remote.iov_len >= 64 && (got = process_vm_readv(thread, &local, 1, &remote, 1, 0)) <= 0) {
        remote.iov_len /= 2;
        local.iov_len = remote.iov_len;
    }
    size_t found = 0;
    for (ssize_t index = 0; index < got / 8 && found < count; index++)
        if (words[index] == text.start + (offsets[found] - text.offset)) found++;
    return found == count;
}

static int trace(char **arguments, char **command) {
    unsigned call = (unsigned)atoi(arguments[0]);
    int error = atoi(arguments[1]);
    long first = atol(arguments[2]), number = atol(arguments[3]), seen = 0, hits = 0;
    const char *report = arguments[4];
    uint64_t offsets[max_offsets];
    size_t count = 0;
    for (char *entry = strtok(arguments[5], ","); entry != NULL && count < max_offsets; entry = strtok(NULL, ","))
        offsets[count++] = strtoull(entry, NULL, 0);

    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) die("PTRACE_TRACEME");
        raise(SIGSTOP);
        struct rule rule = {call, SECCOMP_RET_TRACE};
        install_filter(&rule, 1);
        execvp(command[0], command);
        die(command[0]);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) die("the command did not start");
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                   PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SETOPTIONS, child, 0, options) != 0) die("PTRACE_SETOPTIONS");
    ptrace(PTRACE_CONT, child, 0, 0);

    struct text text = {0, 0, 0};
    int outcome = 0;
    for (;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) {
            if (errno == EINTR) continue;
            break;
        }
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == child) outcome = status;
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        struct user_regs_struct registers;
        if (signal == (SIGTRAP | 0x80)) {
            pid_t *slot = slot_of(thread);
            if (slot != NULL && ptrace(PTRACE_GETREGS, thread, 0, &registers) == 0) {
                *slot = 0;
                registers.rax = (uint64_t)-error;
                ptrace(PTRACE_SETREGS, thread, 0, &registers);
            }
            ptrace(PTRACE_CONT, thread, 0, 0);
            continue;
        }
        if (event == PTRACE_EVENT_EXEC) {
            text = find_text(thread);
        } else if (event == PTRACE_EVENT_SECCOMP && text.start != 0) {
            if (ptrace(PTRACE_GETREGS, thread, 0, &registers) == 0 &&
                is_here(thread, registers.rsp, text, offsets, count)) {
                seen++;
                if (seen >= first && (number == 0 || seen < first + number)) {
                    hits++;
                    pid_t *slot = call == SYS_close ? slot_of(0) : NULL;
                    if (slot != NULL) {
                        *slot = thread;
                        ptrace(PTRACE_SYSCALL, thread, 0, 0);
                        continue;
                    }
                    registers.orig_rax = (uint64_t)-1;
                    registers.rax = (uint64_t)-error;
                    ptrace(PTRACE_SETREGS, thread, 0, &registers);
                }
            }
        }
        // A new thread begins with a SIGSTOP of the tracer's making; what is not an event is the program's signal.
        int deliver = event == 0 && signal != SIGSTOP && signal != SIGTRAP ? signal : 0;
        ptrace(PTRACE_CONT, thread, 0, deliver);
    }
    FILE *file = fopen(report, "we");
    if (file == NULL) die(report);
    fprintf(file, "%ld\n", hits);
    fclose(file);
    if (WIFSIGNALED(outcome)) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(WTERMSIG(outcome), SIG_DFL);
        raise(WTERMSIG(outcome));
    }
    return WEXITSTATUS(outcome);
}

int main(int count, char **arguments) {
    int dashes = 1;
    while (dashes < count && strcmp(arguments[dashes], "--") != 0) dashes++;
    if (dashes + 1 < count && dashes == 3 && strcmp(arguments[1], "refuse") == 0)
        refuse(arguments[2], arguments + dashes + 1);
    if (dashes + 1 < count && dashes == 8 && strcmp(arguments[1], "at") == 0)
        return trace(arguments + 2, arguments + dashes + 1);
    fputs("inject: refuse CALL=ERRNO,... -- COMMAND or at CALL ERRNO FIRST COUNT REPORT OFFSETS -- COMMAND\n", stderr);
    return 120;
}
