// What libdbus-1 names and the program never calls: libdbus builds and reads messages for the
// systemd cgroup driver, the socket and the authentication are libruntime's own
// (libruntime/cgroups/bus.h). Defined here the linker need not look for them:
//   * sd_listen_fds, sd_is_socket: of libsystemd, which has no static library; called by a D-Bus
//     server that systemd activates;
//   * in the static program getaddrinfo, getpwnam_r and their like: libc's would load shared
//     libraries of name services, which a static program can't; called for TCP addresses and for
//     D-Bus servers' policies.
// They say that there is nothing.
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

#include <cerrno>

extern "C" {

int sd_listen_fds(int /*unset_environment*/) { return 0; }

int sd_is_socket(int /*fd*/, int /*family*/, int /*type*/, int /*listening*/) { return 0; }

#ifdef HULL_STATIC_PROGRAM

int getaddrinfo(const char* /*node*/, const char* /*service*/, const addrinfo* /*hints*/,
                addrinfo** /*result*/) {
  return EAI_FAIL;
}

void freeaddrinfo(addrinfo* /*result*/) noexcept {}

int getpwnam_r(const char* /*name*/, passwd* /*entry*/, char* /*buffer*/, size_t /*size*/,
               passwd** result) {
  *result = nullptr;
  return 0;
}

int getpwuid_r(uid_t /*uid*/, passwd* /*entry*/, char* /*buffer*/, size_t /*size*/,
               passwd** result) {
  *result = nullptr;
  return 0;
}

int getgrouplist(const char* /*user*/, gid_t /*group*/, gid_t* /*groups*/, int* count) {
  *count = 0;
  return 0;
}

#endif

}  // extern "C"
