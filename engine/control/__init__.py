"""The control process: owns the shared memory of a run, supervises the others, answers people.

    launcher ──▶ control ──▶ template ──fork──▶ sim, feed:<venue>..., detector, exec
    (lock,       (segments, process table,
     screen)      control socket)

``process`` wires it up; ``segments`` makes everything a run needs before the first child starts;
``roles`` is the process table from the config; ``supervisor`` judges, then acts; ``starter``
brings children to life; ``server`` is the control socket, ``protocol`` its verbs and
``commands`` what each verb does.

A death is seen by pidfd.  The first thing that happens then is that the epoch of the dead one's
row moves: readers hold ``BOOK_STATUS.epoch`` against it, so none of its books counts as LIVE from
there on.  Who dies comes back, with back-off and within a budget; past the budget the engine is
HALTED, trading state included, and the other processes run on until an operator says ``reset``.

Killing: the word in the control segment is set by ``kill`` on the socket, by SIGUSR1 to control
and by a file ``kill`` in the run folder.  The file is also how a kill outlives control: the
launcher carries it into the next run of the same engine.

Who dies and what follows:

    a child      control: epoch, back-off, a fork of the template
    template     the same; what it had forked and not told of is ended first
    control      the kernel tells the children (PR_SET_PDEATHSIG), the launcher adopts them
                 (PR_SET_CHILD_SUBREAPER), ends who stays, empties the folder, starts control again
    launcher     the kernel tells control, which stops everything, empties the folder and lets go
                 of the lock that it inherited
    all at once  the next start finds the lock free and removes what is left

Decisions.
2026-11-21  Children are forked twice from a template, so that control is their parent.  Started
            each by itself they took 1.2 s of processor time apiece before their first line, and on
            a cold cache each compiled the same kernels; forked, eight start in 10 ms.
2026-11-21  A hang is measured in time that the watcher itself was awake for: a box that was frozen
            or starved as a whole loses no process.
2026-11-21  The self-probe opens a new connection each time.  Over one that was already open it went
            on working after the socket's file had been deleted, and nobody else could connect.
"""
