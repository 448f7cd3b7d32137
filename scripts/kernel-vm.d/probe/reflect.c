// Frames out of a network interface and back in, through the device's own rings.
//   reflect INTERFACE COUNT    prints "frames=N", or says which one did not come back
// The network may still hold frames of whoever had the device before (a process that was killed, say), and delivers them
// to the next receiver: they are of another type, which the socket does not take. One such goes first, to prove it.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// IEEE 802 sets two types aside for experiments: emu's generator sends the first.
enum { ETHERTYPE = 0x88b6, STRANGER = 0x88b5, SIZE = 1000 };

static void must(long result, const char *what) {
    if (result < 0) {
        fprintf(stderr, "reflect: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

// An interface is up before its carrier is, and sends nothing until then.
static struct ifreq bring_up(int sock, const char *name) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    must(ioctl(sock, SIOCGIFFLAGS, &request), name);
    request.ifr_flags |= IFF_UP | IFF_PROMISC;
    must(ioctl(sock, SIOCSIFFLAGS, &request), "bringing the interface up");
    for (int tries = 0; tries < 500 && !(request.ifr_flags & IFF_RUNNING); tries++) {
        usleep(10000);
        must(ioctl(sock, SIOCGIFFLAGS, &request), name);
    }
    must(ioctl(sock, SIOCGIFHWADDR, &request), "SIOCGIFHWADDR");
    return request;
}

static void fill(uint8_t *frame, const uint8_t *address, uint16_t type, uint32_t number) {
    memcpy(frame, address, ETH_ALEN);
    memcpy(frame + ETH_ALEN, address, ETH_ALEN);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    memcpy(frame + ETH_HLEN, &number, sizeof number);
    for (size_t i = ETH_HLEN + sizeof number; i < SIZE; i++)
        frame[i] = (uint8_t)(number * 31 + i);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "reflect INTERFACE COUNT\n");
        return 2;
    }
    int sock = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE));
    must(sock, "socket");
    struct ifreq interface = bring_up(sock, arguments[1]);
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETHERTYPE),
        .sll_ifindex = (int)if_nametoindex(arguments[1]),
    };
    must(bind(sock, (struct sockaddr *)&address, sizeof address), "bind");
    struct timeval patience = {.tv_sec = 20};
    must(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");

    const uint8_t *own = (uint8_t *)interface.ifr_hwaddr.sa_data;
    uint8_t stranger[SIZE];
    fill(stranger, own, STRANGER, 0);
    must(send(sock, stranger, SIZE, 0), "send");

    uint32_t frames = (uint32_t)atoi(arguments[2]);
    for (uint32_t number = 0; number < frames; number++) {
        uint8_t sent[SIZE], received[SIZE + 1];
        fill(sent, own, ETHERTYPE, number);
        must(send(sock, sent, SIZE, 0), "send");
        long length = recv(sock, received, sizeof received, 0);
        must(length, "no frame came back");
        if (length != SIZE || memcmp(sent, received, SIZE) != 0) {
            fprintf(stderr, "reflect: frame %u came back changed\n", number);
            return 1;
        }
    }
    printf("frames=%u\n", frames);
    return 0;
}
