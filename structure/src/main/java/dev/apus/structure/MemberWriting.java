package dev.apus.structure;

import java.util.Set;

/** How the members of objects are written. */
interface MemberWriting {

  /** A name, and what comes between it and its value. */
  Node key(String name);

  /** The same of any name but these. */
  Node otherThan(Set<String> names);

  /** The value of a member with a name that the schema gives. */
  Node value(String name, Schema schema);

  /** The value of a member with another name. */
  Node other(Schema schema);

  /** What comes between two members. */
  Node between();

  /** An object of these members. */
  Node object(Node members);
}
