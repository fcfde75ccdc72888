package dev.apus.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes as people write it: {@code 1500000}, {@code 800m}, {@code 2.5g}. */
final class ByteCount implements ITypeConverter<Long> {

  private static final Pattern FORM =
      Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)([kmgt]?)b?", Pattern.CASE_INSENSITIVE);

  @Override
  public Long convert(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      throw new TypeConversionException(
          String.format(
              Locale.ROOT,
              "'%s' is no size; needed is a number and k, m, g or t: 800m, 2.5g",
              text));
    }
    String unit = matcher.group(2).toLowerCase(Locale.ROOT);
    double bytes = Double.parseDouble(matcher.group(1));
    for (int i = " kmgt".indexOf(unit.isEmpty() ? " " : unit); i > 0; i--) {
      bytes *= 1000;
    }
    return (long) bytes;
  }
}
