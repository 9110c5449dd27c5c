# Writes the reference values of tests/oracle/historical_controls/*.json with R, survival, survey, etm, coin and mice.
#
#   Rscript tests/oracle/historical_controls/make_fixtures.R [output folder]
#
# One file a topic: "checks", a list of call, data (columns), args, expect, and kind ("closed" or "iterative"). The
# tests read the files and need no R. Data are simulated here with fixed seeds, or come with R.

suppressPackageStartupMessages({
  library(survival); library(survey); library(etm); library(coin); library(mice); library(jsonlite)
})
options(digits = 17, warn = 1, survey.lonely.psu = "fail")
here <- commandArgs(trailingOnly = TRUE)
folder <- if (length(here)) here[1] else file.path("tests", "oracle", "historical_controls")
packages <- c("survival", "survey", "etm", "coin", "mice")
made_with <- c(list(R = paste(R.version$major, R.version$minor, sep = ".")),
               setNames(lapply(packages, function(p) as.character(packageVersion(p))), packages))

plain <- function(x) unname(as.vector(x))
check <- function(call, data, args, expect, kind = "closed")
  list(call = call, data = lapply(as.list(data), plain), args = args, expect = lapply(expect, plain), kind = kind)
write_topic <- function(name, checks) {
  text <- toJSON(list(made_with = made_with, checks = checks), digits = I(17), na = "null", auto_unbox = TRUE, pretty = 1)
  writeLines(text, file.path(folder, paste0(name, ".json")))
}

# ---- data ---------------------------------------------------------------------------------------------------------

cohort <- function(seed, n = 41, lag = 9, whole = TRUE) {
  set.seed(seed)
  treated <- rep(c(1, 0), c(n %/% 2, n - n %/% 2))
  age <- round(rnorm(n, 45, 15)); severe <- rbinom(n, 1, plogis(-0.5 + 0.02 * (45 - age) - 0.5 * treated))
  rate <- exp(-4 + 0.6 * severe + 0.02 * (age - 45) - 0.5 * treated)
  death <- rexp(n, rate); entry <- ifelse(treated == 1, round(runif(n, 0, lag)), 0)
  time <- if (whole) pmax(ceiling(death), 1) else death
  event <- as.integer(time <= 56); time <- pmin(time, 56)
  late <- runif(n) < 0.2; stop <- entry + time
  cut <- ifelse(late, entry + pmax(round(time * 0.6), 1), stop)
  data.frame(entry = entry, stop = cut, time = cut - entry, event = ifelse(late, 0L, event), treated = treated,
             age = age, severe = severe, w = round(runif(n, 0.2, 2.5), 3))
}
sets <- list(cohort(1), cohort(2), cohort(3, 80), cohort(4, 120, whole = FALSE), cohort(5, 41, lag = 20))
heart <- survival::heart
heart <- data.frame(entry = heart$start, stop = heart$stop, event = heart$event, age = heart$age,
                    surgery = heart$surgery, transplant = as.integer(heart$transplant == "1"), id = heart$id)

# ---- counting process ---------------------------------------------------------------------------------------------

cox_check <- function(d, terms, ties, weighted, id = FALSE) {
  f <- as.formula(paste("Surv(entry, stop, event) ~", paste(terms, collapse = " + ")))
  w <- if (weighted) d$w else rep(1, nrow(d)); d$w_ <- w; d$id_ <- if (id) d$id else seq_len(nrow(d))
  control <- coxph.control(eps = 1e-13, iter.max = 60)
  fit <- coxph(f, d, weights = w_, ties = ties, cluster = id_, robust = TRUE, control = control)
  check("counting_cox", d[, setdiff(names(d), c("w_", "id_"))],
        list(terms = I(terms), ties = ties, weighted = weighted, clustered = id),
        list(coef = coef(fit), se = sqrt(diag(fit$naive.var)), robust_se = sqrt(diag(fit$var)), score = fit$score,
             robust_score = fit$rscore, log_likelihood = fit$loglik[2]), "iterative")
}
checks <- list()
for (d in sets) for (ties in c("efron", "breslow")) for (weighted in c(FALSE, TRUE))
  checks[[length(checks) + 1]] <- cox_check(d, c("treated", "age"), ties, weighted)
checks[[length(checks) + 1]] <- cox_check(sets[[1]], "treated", "efron", TRUE)
for (ties in c("efron", "breslow"))
  checks[[length(checks) + 1]] <- cox_check(heart, c("age", "surgery", "transplant"), ties, FALSE, id = TRUE)
write_topic("counting_process", checks)

# ---- delayed entry ------------------------------------------------------------------------------------------------

checks <- list()
for (d in sets) for (kind in c("log-log", "log", "plain")) {
  fit <- survfit(Surv(entry, stop, event) ~ 1, d, conf.type = kind)
  at <- fit$n.event > 0 & fit$surv > 0
  s <- summary(fit, times = fit$time[at])
  checks[[length(checks) + 1]] <- check("delayed_curve", d, list(interval = kind),
    list(time = s$time, n_risk = s$n.risk, survival = s$surv, std_err = s$std.err, lower = s$lower, upper = s$upper))
}
for (d in sets) {
  fit <- survfit(Surv(entry, stop, event) ~ 1, d); tau <- floor(max(d$stop) * 0.8)
  t <- summary(fit, rmean = tau)$table
  checks[[length(checks) + 1]] <- check("delayed_rmst", d, list(tau = tau), list(value = t[["rmean"]], std_err = t[["se(rmean)"]]))
}
# One common lag for the treated, from day 0 of the records; and a landmark.
for (d in sets[1:3]) for (lag in c(0, 5, 12)) {
  t0 <- ifelse(d$treated == 1, lag, 0); t1 <- t0 + d$time
  fit <- summary(coxph(Surv(t0, t1, event) ~ treated, d, control = coxph.control(eps = 1e-13)))
  checks[[length(checks) + 1]] <- check("lag", d, list(lag = lag),
    list(value = fit$conf.int[c(1, 3, 4)], p = fit$sctest[["pvalue"]]), "iterative")
  kept <- d$stop > lag
  e <- data.frame(time = d$stop[kept] - lag, event = d$event[kept], on = as.integer(d$treated[kept] == 1 & d$entry[kept] <= lag))
  fit <- summary(coxph(Surv(time, event) ~ on, e, control = coxph.control(eps = 1e-13)))
  # No event among those who had started by then: the likelihood has no maximum, and R's last step is no reference.
  if (sum(e$event[e$on == 1]) == 0) next
  checks[[length(checks) + 1]] <- check("landmark", d, list(landmark = lag),
    list(n = c(nrow(e), sum(e$on), sum(e$event)), value = fit$conf.int[c(1, 3, 4)], p = fit$sctest[["pvalue"]]), "iterative")
}
for (d in sets) {
  s <- ifelse(d$treated == 1, d$entry, NA); id <- seq_len(nrow(d))
  base <- data.frame(id, stop = d$stop, event = d$event)
  long <- tmerge(base, base, id = id, died = event(stop, event))
  long <- tmerge(long, data.frame(id, s), id = id, on = tdc(ifelse(s <= 0, 0, s)))
  fit <- summary(coxph(Surv(tstart, tstop, died) ~ on, long, control = coxph.control(eps = 1e-13)))
  checks[[length(checks) + 1]] <- check("time_varying", d, list(), list(value = fit$conf.int[c(1, 3, 4)], p = fit$sctest[["pvalue"]]), "iterative")
}
write_topic("delayed_entry", checks)

# ---- weighted survival --------------------------------------------------------------------------------------------

ij <- function(d, tau) {
  fit <- survfit(Surv(time, event) ~ 1, d, weights = w, robust = TRUE, influence = TRUE)
  infl <- fit$influence.surv; own <- fit$time <= tau
  time <- c(0, fit$time[own]); width <- diff(c(time, tau)); s <- c(1, fit$surv[own])
  # The influence is that of a subject with its whole weight: the sum of its squares is the robust variance.
  stopifnot(all.equal(sqrt(colSums(infl^2)), summary(fit, times = fit$time)$std.err))
  area <- cbind(0, infl[, own, drop = FALSE]) %*% width
  list(value = sum(width * s), se = sqrt(sum(area^2)), s = tail(s, 1), s_se = if (any(own)) summary(fit, times = tau)$std.err else 0)
}
checks <- list()
for (d in sets) {
  fit <- survfit(Surv(time, event) ~ 1, d, weights = w, robust = TRUE)
  at <- fit$n.event > 0
  s <- summary(fit, times = fit$time[at])
  checks[[length(checks) + 1]] <- check("weighted_curve", d, list(),
    list(time = s$time, survival = s$surv, std_err = s$std.err, n_risk = s$n.risk))
  tau <- 40
  one <- ij(d[d$treated == 1, ], tau); none <- ij(d[d$treated == 0, ], tau)
  fit <- coxph(Surv(time, event) ~ treated, d, weights = w, robust = TRUE, control = coxph.control(eps = 1e-13))
  design <- svydesign(~1, weights = ~w, data = d)
  sv <- svycoxph(Surv(time, event) ~ treated, design, control = coxph.control(eps = 1e-13))
  checks[[length(checks) + 1]] <- check("weighted_effects", d, list(tau = tau),
    list(risk = c(none$s - one$s, sqrt(one$s_se^2 + none$s_se^2)), rmst = c(one$value - none$value, sqrt(one$se^2 + none$se^2)),
         log_hr = coef(fit), robust_se = sqrt(diag(fit$var)), robust_score = fit$rscore,
         survey_log_hr = coef(sv), survey_se = SE(sv) * sqrt((nrow(d) - 1) / nrow(d))), "iterative")
}
write_topic("weighted_survival", checks)

# ---- propensity and balancing -------------------------------------------------------------------------------------

firth <- function(x, y) {
  x <- cbind(1, x); value <- function(b) {
    p <- plogis(drop(x %*% b)); -(sum(y * log(p) + (1 - y) * log(1 - p)) + 0.5 * determinant(crossprod(x * (p * (1 - p)), x))$modulus[1])
  }
  score <- function(b) {
    p <- plogis(drop(x %*% b)); w <- p * (1 - p); h <- w * rowSums((x %*% solve(crossprod(x * w, x))) * x)
    -drop(crossprod(x, y - p + h * (0.5 - p)))
  }
  b <- optim(rep(0, ncol(x)), value, score, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par
  for (i in 1:50) { # polish: Newton with the Fisher information
    p <- plogis(drop(x %*% b)); b <- b - drop(solve(crossprod(x * (p * (1 - p)), x), score(b)))
  }
  b
}
checks <- list()
for (d in sets) {
  x <- scale(as.matrix(d[, c("age", "severe")])); b <- firth(x, d$treated)
  slopes <- b[-1] / attr(x, "scaled:scale")
  linear <- drop(as.matrix(d[, c("age", "severe")]) %*% slopes)
  flic <- coef(glm(d$treated ~ 1, offset = linear, family = binomial, control = glm.control(epsilon = 1e-15, maxit = 100)))
  e <- plogis(flic + linear)
  w <- list(ATO = ifelse(d$treated == 1, 1 - e, e), ATT = ifelse(d$treated == 1, 1, e / (1 - e)))
  ess <- function(w) sum(w)^2 / sum(w^2)
  smd <- function(x, w) {
    m <- sapply(1:0, function(g) weighted.mean(x[d$treated == g], w[d$treated == g]))
    (m[1] - m[2]) / sqrt(mean(tapply(x, d$treated, var)))
  }
  checks[[length(checks) + 1]] <- check("propensity", d, list(),
    list(coef = c(slopes, flic), scores = e[c(1, 7, 20, 30, 41)],
         ato = w$ATO[c(1, 30)], att = w$ATT[c(1, 30)],
         ess = c(ess(w$ATO[d$treated == 1]), ess(w$ATO[d$treated == 0]), ess(w$ATT[d$treated == 0])),
         smd = c(smd(d$age, w$ATO), smd(d$severe, w$ATO), smd(d$age, w$ATT), smd(d$age, rep(1, nrow(d))))), "iterative")
}
for (d in sets) {
  one <- d[d$treated == 1, ]; none <- d[d$treated == 0, ]; n <- nrow(none)
  target <- c(mean(one$age), mean(one$severe))
  if (target[2] <= min(none$severe) || target[2] >= max(none$severe)) next
  start <- svydesign(~1, weights = ~rep(1 / n, n), data = none)
  fit <- calibrate(start, ~ age + severe, c(`(Intercept)` = 1, age = target[1], severe = target[2]), calfun = "raking",
                   epsilon = 1e-13, maxit = 500)
  checks[[length(checks) + 1]] <- check("entropy", d, list(), list(weights = weights(fit)), "iterative")
}
write_topic("balancing", checks)

# ---- win statistics -----------------------------------------------------------------------------------------------

checks <- list()
for (seed in 11:14) {
  set.seed(seed); n <- c(20, 21); g <- rep(1:0, n); dead <- rbinom(41, 1, ifelse(g == 1, 0.1, 0.4))
  day <- ifelse(dead == 1, sample(1:50, 41, TRUE), NA); dose <- ifelse(dead == 1, NA, round(pmax(rnorm(41, 0.9 - 0.3 * g, 0.3), 0), 1))
  key <- ifelse(dead == 1, 1000 - day, dose); r <- rank(key)
  win <- outer(key[g == 1], key[g == 0], function(a, b) (a < b) - (a > b))
  p_win <- mean(win > 0); p_loss <- mean(win < 0)
  part <- function(m) var(rowMeans(m)) / n[1] + var(colMeans(m)) / n[2]
  v <- part((win > 0) / p_win - (win < 0) / p_loss)
  net <- part(win)
  test <- wilcox_test(r ~ factor(g), distribution = "exact")
  checks[[length(checks) + 1]] <- check("win", data.frame(treated = g, dead = dead, day = day, dose = dose), list(),
    list(counts = c(sum(win > 0), sum(win < 0), sum(win == 0)), win_ratio = p_win / p_loss,
         win_ratio_limits = exp(log(p_win / p_loss) + c(-1, 1) * qnorm(.975) * sqrt(v)),
         net = mean(win), net_se = sqrt(net), odds = (0.5 + mean(win) / 2) / (0.5 - mean(win) / 2),
         p = as.numeric(pvalue(test))))
}
write_topic("win_statistics", checks)

# ---- exact log-rank interval: every path by recursion -------------------------------------------------------------

paths <- function(time, event, arm, theta) {
  days <- sort(unique(time[event == 1])); total <- 0; stat <- numeric(); prob <- numeric()
  walk <- function(i, dead, s, p) {
    if (i > length(days)) { stat <<- c(stat, s); prob <<- c(prob, p); return(invisible()) }
    d <- sum(time == days[i] & event == 1); gone <- event == 0 & time < days[i]
    n1 <- sum(arm) - sum(gone & arm == 1) - dead[1]; n0 <- sum(arm == 0) - sum(gone & arm == 0) - dead[2]
    k <- max(0, d - n0):min(d, n1); q <- choose(n1, k) * choose(n0, d - k) * theta^k; q <- q / sum(q)
    for (j in seq_along(k)) walk(i + 1, dead + c(k[j], d - k[j]), s + k[j] - d * n1 / (n1 + n0), p * q[j])
  }
  walk(1, c(0, 0), 0, 1); list(stat = stat, prob = prob)
}
checks <- list()
for (seed in 21:24) {
  set.seed(seed); arm <- rep(1:0, c(9, 10)); t <- ceiling(rexp(19, ifelse(arm == 1, 0.008, 0.02))); e <- as.integer(t <= 56); t <- pmin(t, 56)
  if (seed == 24) { e[arm == 1] <- 0L }
  obs <- local({ days <- sort(unique(t[e == 1])); sum(sapply(days, function(u) sum(t == u & e == 1 & arm == 1) - sum(t == u & e == 1) * sum(t >= u & arm == 1) / sum(t >= u))) })
  less <- function(b) { p <- paths(t, e, arm, exp(b)); sum(p$prob[p$stat <= obs + 1e-9]) }
  more <- function(b) { p <- paths(t, e, arm, exp(b)); sum(p$prob[p$stat >= obs - 1e-9]) }
  up <- exp(uniroot(function(b) less(b) - .025, c(-12, 12), tol = 1e-11)$root)
  low <- if (more(-11.9) > .025) 0 else exp(uniroot(function(b) more(b) - .025, c(-12, 12), tol = 1e-11)$root)
  checks[[length(checks) + 1]] <- check("exact_interval", data.frame(time = t, event = e, treated = arm), list(),
    list(statistic = obs, p_less = less(0), p_greater = more(0), upper = up, lower = low), "iterative")
}
write_topic("exact_interval", checks)

# ---- posteriors ---------------------------------------------------------------------------------------------------

checks <- list()
priors <- list(weak = c(0, 2), sceptical = c(0, log(2) / qnorm(.975)), enthusiastic = c(log(.5), log(2) / qnorm(.975)))
simpson <- function(f, a, b, n = 600) { x <- seq(a, b, length.out = n + 1); w <- c(1, rep(c(4, 2), n / 2 - 1), 4, 1); (b - a) / n / 3 * sum(w * f(x)) }
quantiles <- function(loglik, prior, benefit = 0.8) {
  log_density <- function(b) loglik(b) + dnorm(b, prior[1], prior[2], TRUE)
  top <- optimize(log_density, c(-10, 6), maximum = TRUE)$objective
  part <- function(a, b) simpson(function(x) exp(log_density(x) - top), a, b)
  all <- part(-15, 12); below <- function(b) part(-15, b) / all
  q <- sapply(c(.5, .025, .975), function(p) exp(uniroot(function(b) below(b) - p, c(-9, 5), tol = 1e-10)$root))
  list(quantiles = q, below = c(below(0), below(log(benefit))))
}
# Efron's log partial likelihood of one binary covariate, which coxph takes too long to give ten thousand times.
efron <- function(d) {
  days <- sort(unique(d$t1[d$event == 1])); constant <- NULL
  for (u in days) {
    at <- d$t0 < u & d$t1 >= u; dead <- d$t1 == u & d$event == 1; k <- sum(dead)
    for (l in seq_len(k) - 1) constant <- rbind(constant, c(sum(at & d$treated == 1) - l / k * sum(dead & d$treated == 1),
                                                            sum(at & d$treated == 0) - l / k * sum(dead & d$treated == 0)))
  }
  function(b) b * sum(d$treated[d$event == 1]) - colSums(log(outer(constant[, 1], exp(b)) + constant[, 2]))
}
for (d in sets[c(1, 5)]) for (name in names(priors)) for (delayed in c(TRUE, FALSE)) {
  d$t0 <- if (delayed) d$entry else 0; d$t1 <- if (delayed) d$stop else d$time
  loglik <- efron(d)
  for (b in c(-3, 0, 1)) stopifnot(all.equal(loglik(b), coxph(Surv(t0, t1, event) ~ treated, d, init = b,
                                                               control = coxph.control(iter.max = 0))$loglik[1]))
  checks[[length(checks) + 1]] <- check("posterior_hr", d[, setdiff(names(d), c("t0", "t1"))], list(prior = name, delayed = delayed), quantiles(loglik, priors[[name]]), "iterative")
}
for (counts in list(c(1, 20, 8, 21), c(0, 20, 5, 21), c(3, 12, 4, 15))) for (name in names(priors)) {
  loglik <- Vectorize(function(b) log(simpson(function(e) exp(counts[1] * (e + b) - counts[2] * log1p(exp(e + b)) +
    (counts[3] + .5) * e - (counts[4] + 1) * log1p(exp(e)) + 20), -18, 18, 1000)))
  checks[[length(checks) + 1]] <- check("posterior_or", list(), list(counts = counts, prior = name), quantiles(loglik, priors[[name]]), "iterative")
}
for (a0 in c(0.1, 0.5, 1)) {
  f <- function(g) integrate(function(p) dbeta(p, a0 * 8 + .5, a0 * 13 + .5) * pbeta(p + g, 1.5, 19.5), 0, 1, rel.tol = 1e-11, subdivisions = 2000)$value
  limits <- sapply(c(.025, .975), function(q) uniroot(function(g) f(g) - q, c(-1, 1), tol = 1e-11)$root)
  checks[[length(checks) + 1]] <- check("discounted", list(), list(counts = c(1, 20, 8, 21), discount = a0),
    list(value = 1.5 / 21 - (a0 * 8 + .5) / (a0 * 21 + 1), limits = limits, below = f(0)), "iterative")
}
write_topic("posteriors", checks)

# ---- multi-state --------------------------------------------------------------------------------------------------

checks <- list()
for (seed in 31:34) {
  set.seed(seed); states <- c("NR", "PR", "CR", "death"); rows <- list()
  for (i in 1:(if (seed == 34) 60 else 20)) {
    now <- "NR"; t <- 0; end <- if (runif(1) < .25) sample(20:55, 1) else 56
    repeat {
      u <- t + sample(3:14, 1)
      if (u >= end) { rows[[length(rows) + 1]] <- data.frame(id = i, start = t, stop = end, source = now, target = ""); break }
      new <- sample(states, 1, prob = c(.3, .35, .25, .1))
      rows[[length(rows) + 1]] <- data.frame(id = i, start = t, stop = u, source = now, target = if (new == now) "" else new)
      if (new == "death") break
      now <- new; t <- u
    }
  }
  d <- do.call(rbind, rows); tau <- 50
  d$to <- factor(ifelse(d$target == "", "censor", d$target), c("censor", states))
  fit <- survfit(Surv(start, stop, to) ~ 1, d, id = id, istate = factor(source, states))
  col <- match(states, fit$states); p0 <- fit$p0[col]
  at <- c(7, 21, 40, 50); s <- summary(fit, times = at)
  inside <- fit$time < tau; width <- diff(c(0, fit$time[inside], tau))
  area <- colSums(rbind(p0, fit$pstate[inside, col]) * width)
  # etm wants every change of state and names 0 for censoring; a cut in the same state is joined first.
  tra <- matrix(TRUE, 4, 4, dimnames = list(states, states)); diag(tra) <- FALSE; tra[4, ] <- FALSE
  e <- data.frame(id = d$id, entry = d$start, exit = d$stop, from = d$source, to = ifelse(d$target == "", "cens", d$target))
  last <- ave(e$exit, e$id, FUN = max) == e$exit
  joined <- do.call(rbind, lapply(split(e, e$id), function(x) { out <- x[0, ]; cur <- NULL
    for (k in seq_len(nrow(x))) { if (is.null(cur)) cur <- x[k, ] else cur$exit <- x$exit[k]; cur$to <- x$to[k]
      if (cur$to != "cens" || k == nrow(x)) { out <- rbind(out, cur); cur <- NULL } }; out }))
  m <- etm(joined, states, tra, "cens", s = 0, covariance = FALSE)
  checks[[length(checks) + 1]] <- check("multistate", d[, c("id", "start", "stop", "source", "target")], list(at = at, tau = tau),
    list(probability = as.vector(t(s$pstate[, col])), days = area, etm = as.vector(t(sapply(at, function(u) m$est[1, , max(which(m$time <= u))])[, ])[, ])))
}
# One matrix a day, states within days, in both.
for (i in seq_along(checks)) checks[[i]]$expect$etm <- { x <- matrix(checks[[i]]$expect$etm, nrow = 4); as.vector(t(x)) }
write_topic("multistate", checks)

# ---- closed forms: design error, regression to the mean, slopes ------------------------------------------

checks <- list()
for (a in list(c(.1, 3.28), c(2, 8.1), c(-.69, .67), c(-2.2, 1.06))) {
  z <- qnorm(.975) * a[2]; f <- function(x) abs(x) * dnorm(x, a[1], a[2])
  power <- pnorm(-z, a[1], a[2]) + pnorm(z, a[1], a[2], FALSE)
  big <- integrate(f, z, Inf, rel.tol = 1e-12)$value + integrate(f, -Inf, -z, rel.tol = 1e-12)$value
  wrong <- if (a[1] > 0) pnorm(-z, a[1], a[2]) else pnorm(z, a[1], a[2], FALSE)
  checks[[length(checks) + 1]] <- check("retrodesign", list(), list(effect = a[1], se = a[2]),
    list(value = power, type_s = wrong / power, type_m = big / power / abs(a[1])))
}
for (p in list(c(.05, .381), c(.2, .381), c(.381, .381))) {
  n <- c(20, 21); grid <- expand.grid(a = 0:n[1], b = 0:n[2])
  sig <- mapply(function(a, b) fisher.test(matrix(c(a, n[1] - a, b, n[2] - b), 2))$p.value < .05, grid$a, grid$b)
  w <- dbinom(grid$a, n[1], p[1]) * dbinom(grid$b, n[2], p[2]); gap <- grid$a / n[1] - grid$b / n[2]; power <- sum(w[sig])
  truth <- p[1] - p[2]
  checks[[length(checks) + 1]] <- check("fisher_design", list(), list(p = p, n = n),
    list(value = power, type_s = if (truth == 0) NA else sum(w[sig & sign(gap) == -sign(truth)]) / power,
         type_m = if (truth == 0) NA else sum((w * abs(gap))[sig]) / power / abs(truth)))
}
for (a in list(c(1000, 400, .6, 1500), c(60, 12, .8, 40))) {
  side <- if (a[4] > a[1]) "above" else "below"
  f <- function(x) x * dnorm(x, a[1], a[2]); r <- if (side == "above") c(a[4], Inf) else c(-Inf, a[4])
  mean <- integrate(f, r[1], r[2], rel.tol = 1e-12)$value / (pnorm(r[2], a[1], a[2]) - pnorm(r[1], a[1], a[2]))
  checks[[length(checks) + 1]] <- check("regression", list(), list(a = a, side = side),
    list(value = abs(mean - (a[1] + a[3] * (mean - a[1]))), selected = mean))
}
set.seed(50); d <- data.frame(id = rep(1:6, each = 4), day = rep(c(-9, -6, -2, 0), 6)); d$x <- round(exp(rnorm(24, 7 + .05 * d$day * d$id, .3)))
slope <- sapply(split(d, d$id), function(e) coef(lm(log(x) ~ day, e))[["day"]])
checks[[length(checks) + 1]] <- check("slopes", d, list(), list(slope = slope))
write_topic("closed_forms", checks)

# ---- imputation ---------------------------------------------------------------------------------------------------

checks <- list()
for (a in list(list(q = c(1.2, 1.5, .9, 1.1), u = c(.2, .25, .22, .18), df = 39),
               list(q = c(-.31, -.28, -.35, -.30, -.29), u = c(.02, .021, .019, .022, .02), df = 39),
               list(q = c(12, 18, 3, 25, 9, 14), u = c(30, 28, 33, 29, 31, 30), df = 12),
               list(q = rep(.4, 3), u = c(.01, .02, .03), df = 198))) {
  p <- pool.scalar(a$q, a$u, n = a$df + 1, k = 1)
  checks[[length(checks) + 1]] <- check("pooled", list(), a, list(value = p$qbar, within = p$ubar, between = p$b,
    total = p$t, df = p$df, missing_information = p$fmi, limits = p$qbar + c(-1, 1) * qt(.975, p$df) * sqrt(p$t)))
}
write_topic("imputation", checks)
