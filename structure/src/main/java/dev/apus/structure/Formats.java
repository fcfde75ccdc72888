package dev.apus.structure;

import java.util.Map;
import java.util.TreeMap;

/** The formats of strings, as expressions. */
final class Formats {

  private static final String DATE =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
          + "|02-(?:0[1-9]|1\\d|2[0-8]))"
          + "|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0[1-9]|1[0-3]):[0-5]\\d|\\+00:[0-5]\\d)";
  private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,8}";
  private static final String OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String WORD = "[A-Za-z0-9_+-]{1,15}";
  private static final String HEX = "[0-9A-Fa-f]";
  private static final String GROUP = HEX + "{1,4}";
  private static final String DAYS =
      "(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)";
  private static final String HOURS =
      "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)";
  private static final String URI_CHARACTER = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%" + HEX + HEX + ")";

  private static final Map<String, String> EXPRESSIONS = new TreeMap<>();

  static {
    EXPRESSIONS.put("date", DATE);
    EXPRESSIONS.put("time", TIME);
    EXPRESSIONS.put("date-time", DATE + "T" + TIME);
    EXPRESSIONS.put("duration", "P(?:\\d{1,9}W|" + DAYS + "(?:" + HOURS + ")?|" + HOURS + ")");
    EXPRESSIONS.put(
        "email", WORD + "(?:\\." + WORD + "){0,3}@(?:" + LABEL + "\\.){1,3}[A-Za-z]{2,24}");
    EXPRESSIONS.put("hostname", HOST);
    EXPRESSIONS.put("ipv4", OCTET + "(?:\\." + OCTET + "){3}");
    EXPRESSIONS.put("ipv6", ipv6());
    EXPRESSIONS.put(
        "uuid", HEX + "{8}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{12}");
    EXPRESSIONS.put(
        "uri",
        "[A-Za-z][A-Za-z0-9+.-]*://"
            + HOST
            + "(?::\\d{1,4})?(?:/"
            + URI_CHARACTER
            + "*)*(?:\\?"
            + URI_CHARACTER
            + "*)?(?:#"
            + URI_CHARACTER
            + "*)?");
  }

  private Formats() {}

  private static String ipv6() {
    StringBuilder ways = new StringBuilder("(?:" + GROUP + ":){7}" + GROUP);
    // Two colons stand for what is missing, wherever they are.
    for (int before = 0; before <= 7; before++) {
      int after = 7 - before;
      ways.append('|');
      ways.append(before == 0 ? ":" : "(?:" + GROUP + ":){" + before + "}");
      ways.append(after == 0 ? ":" : "(?::" + GROUP + "){1," + after + "}");
    }
    return ways.append("|(?:" + GROUP + ":){1,7}:|::").toString();
  }

  /** The names of all formats. */
  static Iterable<String> names() {
    return EXPRESSIONS.keySet();
  }

  /** The expression of a format, or null. */
  static String expression(String format) {
    return EXPRESSIONS.get(format);
  }
}
