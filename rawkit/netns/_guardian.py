"""PID 1 of a lab's programs: lives as long as the lab's owner, and takes everything with it.

Run by its path as a program of its own, with the pidfd of the owner as its argument. The kernel kills every
process of a PID namespace when its PID 1 ends (pid_namespaces(7)), daemons and orphans included. A pidfd
tells of the death of the whole process; PR_SET_PDEATHSIG would tell of the thread that forked.
"""

import select
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans end here, and are not waited for
    owner = select.poll()
    owner.register(int(sys.argv[1]), select.POLLIN)
    owner.poll()
