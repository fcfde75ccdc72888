package dev.apus.cli;

import java.util.Locale;

/** Numbers as people read them, the same in every locale. */
final class Units {

  private Units() {}

  static String bytes(long bytes) {
    return scaled(bytes, " kB", " MB", " GB", " TB", " bytes");
  }

  static String count(long count) {
    return scaled(count, " k", " M", " G", " T", "");
  }

  static String rate(double perSecond) {
    return String.format(Locale.ROOT, perSecond < 10 ? "%.2f" : "%.1f", perSecond);
  }

  private static String scaled(
      long number, String kilo, String mega, String giga, String tera, String one) {
    String[] units = {kilo, mega, giga, tera};
    if (number < 1000) {
      return number + one;
    }
    double scaled = number / 1000.0;
    int unit = 0;
    while (scaled >= 999.95 && unit < units.length - 1) {
      scaled /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f%s", scaled, units[unit]);
  }
}
