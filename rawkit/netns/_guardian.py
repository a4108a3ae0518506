"""PID 1 of a lab's programs: lives as long as the lab's owner, and takes everything with it.

Run by its path as a program of its own, with the pidfd of the owner and the largest process number that there may
be (0 for any) as its arguments, and a descriptor that it closes once it is ready. The kernel kills every
process of a PID namespace when its PID 1 ends (pid_namespaces(7)), daemons and orphans included. A pidfd
tells of the death of the whole process; PR_SET_PDEATHSIG would tell of the thread that forked.
"""

import os
import select
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans end here, and are not waited for
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler would let its own programs end it
    if int(sys.argv[2]):
        with open("/proc/sys/kernel/pid_max", "w") as largest:  # noqa: PTH123 - starts sooner
            largest.write(sys.argv[2])
    os.close(int(sys.argv[3]))
    owner = select.poll()
    owner.register(int(sys.argv[1]), select.POLLIN)
    owner.poll()
