// TUN/TAP (Documentation/networking/tuntap.rst, include/uapi/linux/if_tun.h) and the network namespaces a TAP
// may live in (setns(2)). Swift has neither the ioctl numbers nor setns. Every function returns -errno.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    clinux_tap_name_max = IFNAMSIZ - 1,
    clinux_clone_newnet = 0x40000000, // CLONE_NEWNET, hidden without _GNU_SOURCE.
};

// What a failed step was, for an error that can say so.
enum clinux_tap_step {
    clinux_tap_step_none,
    clinux_tap_step_namespace, // opening or entering the namespace
    clinux_tap_step_open,      // opening /dev/net/tun
    clinux_tap_step_attach,    // TUNSETIFF
    clinux_tap_step_header,    // TUNSETVNETHDRSZ
    clinux_tap_step_offload,   // TUNSETOFFLOAD
};

struct clinux_tap_request {
    const char *namespace_path; // NULL: the caller's namespace
    const char *name;
    int header_size;
    int is_multiqueue; // one of several queues of the interface, each with a descriptor
    enum clinux_tap_step step;
    int was_made; // there was no interface of that name
    int is_tap;   // where TUNSETIFF was refused: the interface is a TAP all the same
    int result; // the descriptor, or -errno
};

// What an interface is like, for who knows its name and where it is.
struct clinux_interface_query {
    const char *namespace_path; // NULL: the caller's namespace
    const char *name;
    int is_up;
    int mtu;
    int result; // 0, or -errno
};

// Asks for an interface in the calling thread's namespace.
static inline int clinux_interface_ask_here(struct clinux_interface_query *query)
{
    struct ifreq interface;
    memset(&interface, 0, sizeof interface);
    if (strlen(query->name) > clinux_tap_name_max)
        return -ENAMETOOLONG;
    memcpy(interface.ifr_name, query->name, strlen(query->name));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = ioctl(fd, SIOCGIFFLAGS, &interface) < 0 ? errno : 0;
    query->is_up = (interface.ifr_flags & IFF_UP) != 0;
    if (!error)
        error = ioctl(fd, SIOCGIFMTU, &interface) < 0 ? errno : 0;
    query->mtu = interface.ifr_mtu;
    close(fd);
    return -error;
}

// Whether the interface `name` of the calling thread's namespace is a TAP (tun_get_drvinfo of drivers/net/tun.c).
static inline int clinux_is_tap_here(const char *name)
{
    struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq interface;
    memset(&interface, 0, sizeof interface);
    memcpy(interface.ifr_name, name, strlen(name));
    interface.ifr_data = (void *)&driver;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    int is_tap = ioctl(fd, SIOCETHTOOL, &interface) == 0 && strcmp(driver.driver, "tun") == 0
        && strcmp(driver.bus_info, "tap") == 0;
    close(fd);
    return is_tap;
}

// Attaches to the TAP `name`, creating it where it does not exist, in the calling thread's namespace.
static inline int clinux_tap_open_here(struct clinux_tap_request *request)
{
    struct ifreq interface;
    memset(&interface, 0, sizeof interface);
    if (strlen(request->name) > clinux_tap_name_max)
        return -ENAMETOOLONG;
    memcpy(interface.ifr_name, request->name, strlen(request->name));
    interface.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (request->is_multiqueue)
        interface.ifr_flags |= IFF_MULTI_QUEUE;
    // Somebody else may make or delete it in between; then this says what was true a moment before.
    struct clinux_interface_query before = {.name = request->name};
    request->was_made = clinux_interface_ask_here(&before) == -ENODEV;

    request->step = clinux_tap_step_open;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = 0;
    request->step = clinux_tap_step_attach;
    if (ioctl(fd, TUNSETIFF, &interface) < 0) {
        error = errno;
        request->is_tap = clinux_is_tap_here(request->name);
    } else {
        request->step = clinux_tap_step_header;
        if (ioctl(fd, TUNSETVNETHDRSZ, &request->header_size) < 0) {
            error = errno;
        } else {
            // None: frames come whole, with their checksums, and to whatever address. The interface may have had another
            // reader before.
            struct tun_filter everything = {.count = 0};
            request->step = clinux_tap_step_offload;
            if (ioctl(fd, TUNSETOFFLOAD, 0UL) < 0 || ioctl(fd, TUNSETTXFILTER, &everything) < 0)
                error = errno;
        }
    }
    if (error) {
        close(fd);
        return -error;
    }
    request->step = clinux_tap_step_none;
    return fd;
}

// Enters the network namespace at `path` with the calling thread.
static inline int clinux_enter_namespace(const char *path)
{
    // Without a wait, should it be a pipe.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = syscall(SYS_setns, fd, clinux_clone_newnet) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static inline void *clinux_interface_ask_elsewhere(void *argument)
{
    struct clinux_interface_query *query = argument;
    query->result = clinux_enter_namespace(query->namespace_path);
    if (query->result == 0)
        query->result = clinux_interface_ask_here(query);
    return NULL;
}

// Asks for an interface where it is. As for a TAP, a thread of its own enters another namespace and ends there.
static inline int clinux_interface_ask(struct clinux_interface_query *query)
{
    if (!query->namespace_path)
        return query->result = clinux_interface_ask_here(query);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, clinux_interface_ask_elsewhere, query);
    if (error)
        return query->result = -error;
    pthread_join(thread, NULL);
    return query->result;
}

static inline void *clinux_tap_open_elsewhere(void *argument)
{
    struct clinux_tap_request *request = argument;
    request->step = clinux_tap_step_namespace;
    request->result = clinux_enter_namespace(request->namespace_path);
    if (request->result == 0)
        request->result = clinux_tap_open_here(request);
    return NULL;
}

// Opens the TAP in its namespace. setns changes a single thread, so a thread of its own enters the namespace and
// ends there; the descriptor works in every thread of the process. A descriptor's interface stays where it is.
static inline int clinux_tap_open(struct clinux_tap_request *request)
{
    if (!request->namespace_path)
        return request->result = clinux_tap_open_here(request);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, clinux_tap_open_elsewhere, request);
    if (error)
        return request->result = -error;
    pthread_join(thread, NULL);
    return request->result;
}
