package dev.apus.core.template;

import dev.apus.core.template.Expression.Given;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Computes expressions. */
final class Evaluator {

  private final String name;
  private final Budget budget;

  Evaluator(String name, Budget budget) {
    this.name = name;
    this.budget = budget;
  }

  /** The value; an error says the line of the innermost expression that failed. */
  Object value(Expression expression, Scope scope) {
    try {
      budget.step();
      return compute(expression, scope);
    } catch (TemplateException e) {
      throw located(expression.line(), e);
    }
  }

  /** The same error, with the line unless it has one. */
  TemplateException located(int line, TemplateException e) {
    return e.getMessage().startsWith(name + ":")
        ? e
        : new TemplateException(name + ":" + line + ": " + e.getMessage(), e);
  }

  private Object compute(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Literal e -> e.value();
      case Expression.ListOf e -> values(e.items(), scope);
      case Expression.TupleOf e -> new Tuple(values(e.items(), scope));
      case Expression.DictOf e -> dict(e, scope);
      case Expression.Name e -> scope.get(e.name());
      case Expression.Attribute e -> Members.attribute(plain(e.of(), scope), e.name());
      case Expression.Item e -> Members.item(plain(e.of(), scope), plain(e.key(), scope));
      case Expression.Slice e -> slice(e, scope);
      case Expression.Call e -> call(e, scope);
      case Expression.Filter e -> filter(e.name(), value(e.value(), scope), e.given(), scope);
      case Expression.Test e -> test(e, scope);
      case Expression.Signed e -> signed(e, scope);
      case Expression.Not e -> !Values.isTrue(value(e.value(), scope));
      case Expression.And e -> {
        Object left = value(e.left(), scope);
        yield Values.isTrue(left) ? value(e.right(), scope) : left;
      }
      case Expression.Or e -> {
        Object left = value(e.left(), scope);
        yield Values.isTrue(left) ? left : value(e.right(), scope);
      }
      case Expression.Binary e ->
          budgeted(Operators.apply(e.operator(), value(e.left(), scope), value(e.right(), scope)));
      case Expression.Compare e -> compare(e, scope);
      case Expression.Choice e -> {
        if (Values.isTrue(value(e.condition(), scope))) {
          yield value(e.then(), scope);
        }
        yield e.otherwise() == null
            ? new Undefined("what an if without an else gives")
            : value(e.otherwise(), scope);
      }
    };
  }

  private Object budgeted(Object value) {
    if (value instanceof String text) {
      budget.made(text);
    } else if (value instanceof List<?> list) {
      budget.make(list.size());
    }
    return value;
  }

  private List<Object> values(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>();
    for (Expression each : expressions) {
      values.add(value(each, scope));
    }
    return values;
  }

  private Object plain(Expression expression, Scope scope) {
    return Markup.plain(value(expression, scope));
  }

  private Object dict(Expression.DictOf e, Scope scope) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < e.keys().size(); i++) {
      map.put(plain(e.keys().get(i), scope), value(e.values().get(i), scope));
    }
    return map;
  }

  private Object slice(Expression.Slice e, Scope scope) {
    Object of = plain(e.of(), scope);
    Object from = e.from() == null ? null : value(e.from(), scope);
    Object to = e.to() == null ? null : value(e.to(), scope);
    Object step = e.step() == null ? null : value(e.step(), scope);
    return budgeted(Members.slice(of, from, to, step));
  }

  private boolean compare(Expression.Compare e, Scope scope) {
    Object left = plain(e.first(), scope);
    for (int i = 0; i < e.operators().size(); i++) {
      Object right = plain(e.others().get(i), scope);
      boolean holds =
          switch (e.operators().get(i)) {
            case "==" -> Values.equal(left, right);
            case "!=" -> !Values.equal(left, right);
            case "<" -> Values.compare(left, right) < 0;
            case "<=" -> Values.compare(left, right) <= 0;
            case ">" -> Values.compare(left, right) > 0;
            case ">=" -> Values.compare(left, right) >= 0;
            case "in" -> Values.contains(right, left);
            default -> !Values.contains(right, left);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object signed(Expression.Signed e, Scope scope) {
    Object value = value(e.value(), scope);
    if (value instanceof Double real) {
      return e.minus() ? -real : real;
    }
    long integer = Values.integer(value);
    return e.minus() ? -integer : integer;
  }

  private Object call(Expression.Call e, Scope scope) {
    Object callee = value(e.callee(), scope);
    if (!(callee instanceof Callable function)) {
      throw Values.needed("a function", callee);
    }
    return budgeted(function.call(arguments(called(e.callee()), List.of(), e.given(), scope)));
  }

  private static String called(Expression callee) {
    return switch (callee) {
      case Expression.Name e -> e.name();
      case Expression.Attribute e -> e.name();
      default -> "the function";
    };
  }

  /** The values that are given, after these. */
  Arguments arguments(String function, List<Object> before, Given given, Scope scope) {
    List<Object> inOrder = new ArrayList<>();
    before.forEach(value -> inOrder.add(Markup.plain(value)));
    given.inOrder().forEach(each -> inOrder.add(plain(each, scope)));
    if (given.named().isEmpty()) {
      return new Arguments(function, inOrder, Map.of());
    }
    Map<String, Object> named = new LinkedHashMap<>();
    given.named().forEach((key, each) -> named.put(key, plain(each, scope)));
    return new Arguments(function, inOrder, named);
  }

  Object filter(String filter, Object value, Given given, Scope scope) {
    return budgeted(
        Filters.apply(filter, arguments(filter, Collections.singletonList(value), given, scope)));
  }

  private boolean test(Expression.Test e, Scope scope) {
    Object value = value(e.value(), scope);
    return Checks.apply(
        e.name(), arguments(e.name(), Collections.singletonList(value), e.given(), scope));
  }
}
