package dev.apus.structure;

import java.util.List;

/**
 * What the members of an object are. Those with names come in the order of the schema, and others
 * after them.
 *
 * @param least how many members with names there must be
 * @param most how many members there may be
 * @param between what comes between two of them
 */
record ObjectForm(List<Member> members, List<Other> others, int least, int most, Node between) {

  /** A member with a name. */
  record Member(Node key, Node value, boolean required) {}

  /** Members of names of a kind. */
  record Other(Node key, Node value) {}

  /** The members, and what comes between them. */
  Node node() {
    return new Rest(this, 0, 0);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  private boolean counts() {
    return least > 0 || most < Node.UNBOUNDED;
  }

  /**
   * The members from one on.
   *
   * @param written how many there are already; no more than 1 if the number does not matter
   */
  private record Rest(ObjectForm form, int from, int written) implements Node {

    @Override
    public void open(Closure into, Path next) {
      List<Member> members = form.members();
      int at = from;
      boolean skipped = true;
      for (; at < members.size() && skipped; at++) {
        Member member = members.get(at);
        if (mayCome(at)) {
          begin(into, member.key(), member.value(), new Path(after(at + 1), next));
        }
        skipped = !member.required();
      }
      if (!skipped) {
        return;
      }
      if (written >= form.least()) {
        into.goOn(next);
      }
      if (written < form.most()) {
        for (Other other : form.others()) {
          if (other.key().isAlive() && other.value().isAlive()) {
            begin(into, other.key(), other.value(), new Path(after(members.size()), next));
          }
        }
      }
    }

    private void begin(Closure into, Node key, Node value, Path next) {
      Path member = new Path(key, new Path(value, next));
      if (written == 0) {
        into.goOn(member);
      } else {
        into.add(form.between(), member);
      }
    }

    private Rest after(int at) {
      return new Rest(form, at, form.counts() ? written + 1 : 1);
    }

    /** Whether a member may be the next, so that all that must come still may. */
    private boolean mayCome(int at) {
      Member member = form.members().get(at);
      if (!member.key().isAlive() || !member.value().isAlive()) {
        return false;
      }
      int required = 0;
      int possible = 0;
      for (Member later : form.members().subList(at + 1, form.members().size())) {
        required += later.required() ? 1 : 0;
        possible += later.key().isAlive() && later.value().isAlive() ? 1 : 0;
      }
      return (!form.counts() || written + 1 + required <= form.most())
          && (!form.counts() || written + 1 + possible >= form.least());
    }

    @Override
    public boolean isAlive() {
      int required = 0;
      int possible = 0;
      for (Member member : form.members()) {
        boolean alive = member.key().isAlive() && member.value().isAlive();
        if (member.required() && !alive) {
          return false;
        }
        required += member.required() ? 1 : 0;
        possible += alive ? 1 : 0;
      }
      return required <= form.most() && possible >= form.least();
    }

    @Override
    public boolean isNullable() {
      return form.least() == 0 && form.members().stream().noneMatch(Member::required);
    }
  }
}
