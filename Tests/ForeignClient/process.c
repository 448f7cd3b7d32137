// The words about processes, threads and signals.
//
//   fork                   a child does what is left; the client waits for it and ends with its status
//   send                   a child without the descriptor in hand gets it by SCM_RIGHTS and does what is left; the client
//                          closes its own, waits and ends with the child's status
//   exec                   the client executes itself for what is left, the descriptor in hand is in hand again
//   run PROGRAM ARGUMENTS  executes another program
//   thread                 a thread does what is left, the client waits for it
//   leave                  a thread does what is left, the client's first one ends (pthread_exit(3))
//   repeat N               does what is left N times
//   pause                  waits for a signal that on-signal has named; sleep MS waits as long
//   ready                  says so on standard error
//   kill N                 sends itself the signal N
//   on-signal N            has the signal N answer with its line from here on
//   unblock                blocks no signal from here on
//   mask                   which signals are blocked, bit n - 1 for signal n
//   forbid NUMBER          has a filter of the client's own refuse the system call NUMBER with EPERM
#include "client.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Ends as `child` does.
_Noreturn static void end_as(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    fflush(stdout);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void go_on_in_child(const char *word) {
    const pid_t child = fork();
    if (child < 0) answer(word, -errno);
    if (child > 0) end_as(child);
}

static void send_to_child(const char *word) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return answer(word, -errno);
    char byte = 0;
    struct iovec bytes = {&byte, 1};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    const pid_t child = fork();
    if (child < 0) return answer(word, -errno);
    if (child == 0) {
        close(client.descriptor);
        close(ends[0]);
        if (recvmsg(ends[1], &message, 0) < 1) return answer(word, -errno);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (!header || header->cmsg_type != SCM_RIGHTS) give_up(word, "no descriptor came");
        memcpy(&client.descriptor, CMSG_DATA(header), sizeof client.descriptor);
        close(ends[1]);
        return answer(word, client.descriptor);
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &client.descriptor, sizeof client.descriptor);
    if (sendmsg(ends[0], &message, 0) < 0) answer(word, -errno);
    close(client.descriptor);
    close(ends[0]);
    close(ends[1]);
    end_as(child);
}

static void execute_again(const char *word) {
    size_t count = 0;
    while (client.words[count]) count++;
    char number[12];
    snprintf(number, sizeof number, "%d", client.descriptor);
    char **words = calloc(count + 4, sizeof *words);
    if (!words) give_up(word, "no memory");
    words[0] = (char *)client.program;
    words[1] = "use";
    words[2] = number;
    memcpy(words + 3, client.words, count * sizeof *words);
    execv("/proc/self/exe", words);
    answer(word, -errno);
    free(words);
}

static void *do_words_in_thread(void *nothing) {
    (void)nothing;
    do_words();
    exit(0);
}

static void go_on_in_thread(const char *word, bool leaves) {
    pthread_t thread;
    const int error = pthread_create(&thread, 0, do_words_in_thread, 0);
    if (error) return answer(word, -error);
    if (leaves) pthread_exit(0);
    pthread_join(thread, 0);
}

static void repeat(int64_t times) {
    char **first = client.words;
    for (; times > 1; times--) {
        client.words = first;
        do_words();
    }
    client.words = first;
}

// A signal has come that no `pause` has waited for.
static volatile sig_atomic_t has_come;

// Waits for a signal, unless one has come already.
static void await_signal(void) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    while (!has_come) sigsuspend(&before);
    has_come = 0;
    sigprocmask(SIG_SETMASK, &before, 0);
}

static void tell_signal(int number) {
    has_come = 1;
    // stdio is not to be used here.
    char line[] = "signal 00\n";
    line[7] += (char)(number / 10);
    line[8] += (char)(number % 10);
    if (write(1, line, sizeof line - 1) < 0) _exit(65);
}

static int64_t blocked_signals(void) {
    sigset_t blocked;
    if (sigprocmask(SIG_SETMASK, 0, &blocked) < 0) return -errno;
    int64_t bits = 0;
    for (int number = 1; number < 32; number++) bits |= (int64_t)sigismember(&blocked, number) << (number - 1);
    return bits;
}

static int64_t forbid(unsigned number) {
    struct sock_filter statements[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof statements / sizeof statements[0], statements};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0 ? -errno : 0;
}

static bool is(const char *word, const char *other) { return strcmp(word, other) == 0; }

bool do_process_word(const char *word) {
    if (is(word, "fork")) go_on_in_child(word);
    else if (is(word, "send")) send_to_child(word);
    else if (is(word, "exec")) execute_again(word);
    else if (is(word, "run")) {
        execvp(client.words[0] ? client.words[0] : "", client.words);
        answer(word, -errno);
        exit(127);
    } else if (is(word, "thread")) go_on_in_thread(word, false);
    else if (is(word, "leave")) go_on_in_thread(word, true);
    else if (is(word, "repeat")) repeat(next_number(word));
    else if (is(word, "pause")) await_signal();
    else if (is(word, "sleep")) usleep((useconds_t)next_number(word) * 1000);
    else if (is(word, "ready")) fputs("ready\n", stderr);
    else if (is(word, "kill")) answer(word, kill(getpid(), (int)next_number(word)) < 0 ? -errno : 0);
    else if (is(word, "on-signal")) answer(word, signal((int)next_number(word), tell_signal) == SIG_ERR ? -errno : 0);
    else if (is(word, "unblock")) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, 0);
    } else if (is(word, "mask")) answer(word, blocked_signals());
    else if (is(word, "forbid")) answer(word, forbid((unsigned)next_number(word)));
    else return false;
    return true;
}
