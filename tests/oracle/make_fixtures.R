# Writes the reference values of tests/oracle/fixtures/*.json with R, survival, coin, cmprsk and MASS.
#
#   Rscript tests/oracle/make_fixtures.R [output folder]
#
# One file a data set: "data" (columns), "checks" (a list of call, args, expect), "made_with" (versions).
# The tests read the files and need no R. Values marked "iterative" come from a root finder or optimiser.

suppressPackageStartupMessages({
  library(survival); library(coin); library(cmprsk); library(MASS); library(jsonlite); library(nlme)
})
options(digits = 17, warn = 1)
here <- commandArgs(trailingOnly = TRUE)
folder <- if (length(here)) here[1] else file.path("tests", "oracle", "fixtures")
dir.create(folder, showWarnings = FALSE, recursive = TRUE)

made_with <- c(list(R = paste(R.version$major, R.version$minor, sep = ".")),
               lapply(c(survival = "survival", coin = "coin", cmprsk = "cmprsk", MASS = "MASS", nlme = "nlme"),
                      function(p) as.character(packageVersion(p))))

check <- function(call, args, expect, kind = "closed")
  list(call = call, args = args, expect = lapply(expect, function(x) infinite(unname(as.vector(x)))), kind = kind)

# JSON has no infinity: write "Inf" and "-Inf".
infinite <- function(x) if (any(is.infinite(x))) lapply(x, function(v) if (is.infinite(v)) as.character(v) else v) else x

write_set <- function(name, data, checks, source) {
  body <- list(made_with = made_with, source = source, data = data, checks = checks)
  text <- toJSON(body, digits = I(17), na = "null", auto_unbox = TRUE, pretty = 1, dataframe = "columns")
  writeLines(text, file.path(folder, paste0(name, ".json")))
}

# ---- survival ---------------------------------------------------------------------------------------------------

km_checks <- function(d, at, label) {
  out <- list()
  for (kind in c("log-log", "log", "plain", "arcsin")) {
    fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = kind)
    s <- summary(fit, times = at)
    q <- quantile(fit, c(.25, .5, .75))
    out[[length(out) + 1]] <- check("kaplan_meier",
      list(arm = label, interval = sub("^arcsin$", "arcsine", kind), at = s$time),
      list(survival = s$surv, std_err = s$std.err, lower = s$lower, upper = s$upper, n_risk = s$n.risk))
    out[[length(out) + 1]] <- check("km_quantile",
      list(arm = label, interval = sub("^arcsin$", "arcsine", kind), q = c(.25, .5, .75)),
      list(value = q$quantile, lower = q$lower, upper = q$upper))
  }
  out
}

rmst_check <- function(d, tau, label) {
  fit <- survfit(Surv(time, event) ~ 1, data = d)
  t <- summary(fit, rmean = tau)$table
  check("rmst", list(arm = label, tau = tau), list(value = t[["rmean"]], std_err = t[["se(rmean)"]]))
}

logrank_checks <- function(d, strata = NULL) {
  out <- list()
  for (rho in c(0, 1)) {
    f <- survdiff(Surv(time, event) ~ group, data = d, rho = rho)
    out[[length(out) + 1]] <- check("logrank", list(weights = if (rho) "peto" else "logrank"),
      list(statistic = f$chisq, p_value = pchisq(f$chisq, length(f$n) - 1, lower = FALSE),
           observed = f$obs, expected = f$exp))
  }
  half <- survdiff(Surv(time, event) ~ group, data = d, rho = .5)
  out[[3]] <- check("logrank", list(weights = "fleming_harrington", rho = .5, gamma = 0), list(statistic = half$chisq))
  if (!is.null(strata)) {
    d$s <- d[[strata]]
    f <- survdiff(Surv(time, event) ~ group + strata(s), data = d)
    out[[4]] <- check("logrank", list(weights = "logrank", strata = strata),
      list(statistic = f$chisq, observed = rowSums(as.matrix(f$obs)), expected = rowSums(as.matrix(f$exp))))
  }
  out
}

coin_checks <- function(d, exact) {
  d$g <- factor(d$group)
  types <- c(logrank = "logrank", gehan = "Gehan-Breslow", tarone_ware = "Tarone-Ware", peto = "Peto-Peto",
             prentice = "Prentice", prentice_marek = "Prentice-Marek")
  out <- list()
  for (w in names(types)) for (ties in c("mid-ranks", "Hothorn-Lausen")) {
    t <- logrank_test(Surv(time, event) ~ g, data = d, type = types[[w]], ties.method = ties)
    expect <- list(z = as.numeric(statistic(t)), p_asymptotic = as.numeric(pvalue(t)))
    if (exact && w %in% c("logrank", "gehan"))
      expect$p_exact <- as.numeric(pvalue(logrank_test(Surv(time, event) ~ g, data = d, type = types[[w]],
                                                        ties.method = ties, distribution = "exact")))
    out[[length(out) + 1]] <- check("permutation_logrank",
      list(weights = w, scores = gsub("-", "_", tolower(ties))), expect)
  }
  out
}

cox_checks <- function(d, covariates, exact) {
  formula <- as.formula(paste("Surv(time, event) ~", paste(covariates, collapse = " + ")))
  out <- list()
  for (ties in c("efron", "breslow", if (exact) "exact")) {
    f <- coxph(formula, data = d, ties = ties, control = coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 50))
    out[[length(out) + 1]] <- check("cox", list(covariates = as.list(covariates), ties = ties),
      list(coef = coef(f), se = sqrt(diag(vcov(f))), log_likelihood = f$loglik,
           score = f$score, wald = f$wald.test, likelihood_ratio = 2 * diff(f$loglik)), "iterative")
    if (ties != "exact") for (transform in c("km", "rank", "identity")) {
      z <- cox.zph(f, transform = transform, terms = FALSE)
      out[[length(out) + 1]] <- check("proportional_hazards",
        list(covariates = as.list(covariates), ties = ties, transform = transform),
        list(statistic = z$table[, "chisq"], p_value = z$table[, "p"]), "iterative")
    }
  }
  out
}

difference_check <- function(d, at, treated) {
  v <- lapply(c(treated, setdiff(unique(d$group), treated)), function(g) {
    s <- summary(survfit(Surv(time, event) ~ 1, data = d[d$group == g, ]), times = at)
    c(s$surv, s$std.err)
  })
  s <- sapply(v, `[`, 1); se <- sapply(v, `[`, 2)
  y <- log(-log(s)); chi <- (y[1] - y[2])^2 / sum((se / (s * log(s)))^2)
  check("survival_difference", list(at = at, treated = treated),
        list(value = s[1] - s[2], statistic = chi, p_value = pchisq(chi, 1, lower = FALSE),
             plain_lower = s[1] - s[2] - qnorm(.975) * sqrt(sum(se^2)),
             plain_upper = s[1] - s[2] + qnorm(.975) * sqrt(sum(se^2))))
}

# Firth: R's own partial likelihood and information at fixed coefficients, maximised and profiled here.
firth_cox <- function(d, covariates) {
  formula <- as.formula(paste("Surv(time, event) ~", paste(covariates, collapse = " + ")))
  d[covariates] <- lapply(d[covariates], as.numeric)
  value <- function(b) {
    f <- suppressWarnings(coxph(formula, d, init = b, ties = "breslow", control = coxph.control(iter.max = 0)))
    f$loglik[length(f$loglik)] + .5 * as.numeric(determinant(solve(f$var))$modulus)
  }
  penalised_fit(value, length(covariates), apply(d[covariates], 2, sd))
}

firth_logistic <- function(d, outcome, covariates) {
  x <- as.matrix(cbind(d[covariates], 1)); y <- d[[outcome]]
  value <- function(b) {
    eta <- as.vector(x %*% b); p <- plogis(eta)
    sum(y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE)) +
      .5 * as.numeric(determinant(crossprod(x, x * (p * (1 - p))))$modulus)
  }
  # modified score with the leverages h: x'(y - p + h (1/2 - p))
  score <- function(b) {
    p <- plogis(as.vector(x %*% b)); w <- p * (1 - p)
    h <- w * rowSums((x %*% solve(crossprod(x, x * w))) * x)
    as.vector(crossprod(x, y - p + h * (.5 - p)))
  }
  penalised_fit(value, ncol(x), c(apply(d[covariates], 2, sd), 1), score)
}

penalised_fit <- function(value, size, scale, score = NULL) {
  neg <- function(b) { v <- try(value(b), silent = TRUE); if (inherits(v, "try-error") || !is.finite(v)) 1e10 else -v }
  best <- function(free, start, full) {
    if (!any(free)) return(list(par = full, value = neg(full)))
    f <- function(r) { b <- full; b[free] <- r / scale[free]; neg(b) }
    par <- start[free] * scale[free]
    gradient <- if (!is.null(score)) function(r) { b <- full; b[free] <- r / scale[free]; -(score(b) / scale)[free] }
    if (sum(free) == 1) par <- optimize(f, par + c(-6, 6), tol = 1e-10)$minimum
    else for (i in 1:3) par <- optim(par, f, gradient, method = "BFGS", control = list(reltol = 1e-16, maxit = 500))$par
    b <- full; b[free] <- par / scale[free]
    list(par = b, value = neg(b))
  }
  all <- best(rep(TRUE, size), rep(0, size), rep(0, size))
  profile <- function(k, v) { free <- seq_len(size) != k; b <- all$par; b[k] <- v; best(free, all$par, b)$value }
  limit <- function(k, sign) {
    g <- function(delta) profile(k, all$par[k] + sign * delta / scale[k]) - all$value - qchisq(.95, 1) / 2
    top <- 2; while (g(top) < 0) top <- top * 1.5
    all$par[k] + sign * uniroot(g, c(0, top), tol = 1e-9)$root / scale[k]
  }
  k <- seq_len(size)
  list(coef = all$par, lower = sapply(k, limit, -1), upper = sapply(k, limit, 1),
       p_value = sapply(k, function(i) pchisq(2 * (profile(i, 0) - all$value), 1, lower = FALSE)))
}

survival_set <- function(name, d, source, at, tau, covariates = NULL, strata = NULL, exact_cox = FALSE,
                         exact_permutation = FALSE, treated = NULL, difference_at = NULL, firth = NULL) {
  checks <- list()
  arms <- if (length(unique(d$group)) > 1) unique(as.character(d$group)) else "all"
  for (arm in arms) {
    part <- if (arm == "all") d else d[d$group == arm, ]
    checks <- c(checks, km_checks(part, at, arm))
    if (!is.null(tau)) checks <- c(checks, list(rmst_check(part, tau, arm)))
  }
  if (length(arms) > 1) {
    checks <- c(checks, logrank_checks(d, strata))
    if (length(arms) == 2) checks <- c(checks, coin_checks(d, exact_permutation))
  }
  if (!is.null(covariates)) checks <- c(checks, cox_checks(d, covariates, exact_cox))
  if (!is.null(difference_at)) checks <- c(checks, lapply(difference_at, function(t) difference_check(d, t, treated)))
  if (!is.null(firth)) for (f in firth)
    checks <- c(checks, list(check("firth_cox", list(covariates = as.list(f)), firth_cox(d, f), "iterative")))
  write_set(name, d, checks, source)
}

# Two invented arms of 20 and 21 over 56 days.
ab <- data.frame(
  time = c(1,3,5,5,8,9,12,12,20,25,30,33,40,56,56,56,56,56,56,56, 1,2,2,3,4,4,5,6,7,7,8,9,10,12,14,15,20,28,56,56,56),
  event = c(1,1,1,1,0,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0, 1,1,1,1,1,1,1,1,1,1,1,1,0,1,1,1,1,1,0,0,0),
  group = rep(c("A", "B"), c(20, 21)), b = rep(0:1, c(20, 21)), x = (0:40) %% 7)
survival_set("two_arms", ab, "invented", c(5, 12, 20, 28, 40, 56), 56, c("b", "x"), exact_cox = TRUE,
             exact_permutation = TRUE, treated = "A", difference_at = c(24, 27, 28, 55), firth = list("b", c("b", "x")))

# 1 death of 20 against 8 of 21: the shape of the study.
study <- data.frame(time = c(19, rep(56, 19), 2, 5, 8, 11, 15, 25, 30, 40, rep(56, 13)),
                    event = c(1, rep(0, 19), rep(1, 8), rep(0, 13)), group = rep(c("T", "C"), c(20, 21)),
                    b = rep(1:0, c(20, 21)), x = (0:40 * 5) %% 11)
survival_set("nine_deaths", study, "invented", c(2, 19, 28, 40), 56, c("b"), exact_cox = TRUE, exact_permutation = TRUE,
             treated = "T", difference_at = c(28, 56), firth = list("b", c("b", "x")))

# No death in one arm: no finite Cox estimate, Firth only.
none <- study; none$event[1] <- 0; none$time[1] <- 56
survival_set("no_deaths_in_one_arm", none[none$group == "C" | none$group == "T", ], "invented", c(5, 15, 40), 56,
             exact_permutation = TRUE, firth = list("b", c("b", "x")))

g <- gehan; g <- data.frame(time = g$time, event = g$cens, group = as.character(g$treat), pair = g$pair,
                            b = as.numeric(g$treat == "6-MP"))
survival_set("gehan", g, "MASS::gehan", c(3, 6, 10, 16, 22), 20, "b", exact_cox = TRUE, exact_permutation = TRUE,
             treated = "6-MP", difference_at = c(6, 10, 20), firth = list("b"))

l <- leukemia; l <- data.frame(time = l$time, event = l$status, group = as.character(l$x),
                               b = as.numeric(l$x == "Maintained"))
survival_set("leukemia", l, "survival::leukemia", c(9, 13, 23, 31, 45), 45, "b", exact_cox = TRUE,
             exact_permutation = TRUE, treated = "Maintained", difference_at = c(13, 23), firth = list("b"))

o <- ovarian; o <- data.frame(time = o$futime, event = o$fustat, group = paste0("rx", o$rx), b = o$rx - 1, age = o$age)
survival_set("ovarian", o, "survival::ovarian", c(200, 400, 600), 600, c("b", "age"), exact_cox = TRUE,
             exact_permutation = TRUE, treated = "rx2", difference_at = c(365), firth = list(c("b", "age")))

v <- veteran; v <- data.frame(time = v$time, event = v$status, group = paste0("trt", v$trt), cell = as.character(v$celltype),
                              b = v$trt - 1, karno = v$karno, age = v$age)
survival_set("veteran", v, "survival::veteran", c(10, 50, 100, 200, 400), 300, c("b", "karno", "age"), strata = "cell",
             exact_cox = TRUE, treated = "trt2", difference_at = c(100))

n <- lung[complete.cases(lung[, c("time", "status", "sex", "age", "ph.ecog")]), ]
n <- data.frame(time = n$time, event = n$status - 1, group = ifelse(n$sex == 1, "male", "female"), ecog = n$ph.ecog,
                b = n$sex - 1, age = n$age)
survival_set("lung", n, "survival::lung, rows with ECOG", c(100, 200, 365, 600), 700, c("b", "age", "ecog"),
             strata = "ecog", exact_cox = TRUE, treated = "female", difference_at = c(200, 365))

p <- pbc[!is.na(pbc$trt), ]
p <- data.frame(time = p$time, event = as.numeric(p$status == 2), group = paste0("trt", p$trt), stage = p$stage,
                status = p$status, b = p$trt - 1, age = p$age, bili = p$bili)
survival_set("pbc", p, "survival::pbc, randomised", c(500, 1000, 2000, 3000), 3000, c("b", "age", "bili"),
             strata = "stage", treated = "trt1", difference_at = c(1000, 2000))

k <- colon[colon$etype == 2, ]
k <- data.frame(time = k$time, event = k$status, group = as.character(k$rx), b = as.numeric(k$rx == "Lev+5FU"),
                age = k$age, sex = k$sex)
survival_set("colon", k, "survival::colon, deaths", c(365, 1000, 2000, 2500), 2000, c("b", "age"), strata = "sex")

c1 <- cgd[!duplicated(cgd$id), ]
c1 <- data.frame(time = c1$tstop, event = c1$status, group = as.character(c1$treat), inherit = as.character(c1$inherit),
                 b = as.numeric(c1$treat == "rIFN-g"), age = c1$age)
survival_set("cgd", c1, "survival::cgd, first infection", c(50, 150, 250, 350), 350, c("b", "age"), strata = "inherit",
             exact_cox = TRUE, treated = "rIFN-g", difference_at = c(250))

# The shipped cohort, once it is there: death within 56 days, both arms.
cohort <- file.path("data", "cohorts", "rdmas_reconstructed", "patients.csv")
if (file.exists(cohort)) {
  d <- read.csv(cohort)
  time <- ifelse(is.na(d$death_day), d$last_contact_day, d$death_day)
  d <- data.frame(time = pmin(time, 56), event = as.numeric(!is.na(d$death_day) & d$death_day <= 56), group = d$group,
                  b = as.numeric(d$group == "ruxolitinib"), age = d$age)
  survival_set("cohort", d, "data/cohorts/rdmas_reconstructed", c(7, 14, 28, 55), 56, c("b", "age"), exact_cox = TRUE,
               exact_permutation = TRUE, treated = "ruxolitinib", difference_at = c(28, 56), firth = list("b", c("b", "age")))
}

# ---- extremes ---------------------------------------------------------------------------------------------------

extremes <- list(
  all_events = data.frame(time = c(2, 3, 5, 7, 11, 13, 17), event = 1, group = "all"),
  all_tied = data.frame(time = rep(7, 12), event = rep(c(1, 0), c(5, 7)), group = rep(c("A", "B"), 6)),
  one_patient = data.frame(time = 9, event = 1, group = "all"),
  half_dead_18 = data.frame(time = c(1:9, rep(56, 9)), event = rep(1:0, each = 9), group = "all"),
  half_dead_20 = data.frame(time = c(1:10, rep(56, 10)), event = rep(1:0, each = 10), group = "all"),
  half_dead_22 = data.frame(time = c(1:11, rep(56, 11)), event = rep(1:0, each = 11), group = "all"),
  half_dead_40 = data.frame(time = c(1:20, rep(56, 20)), event = rep(1:0, each = 20), group = "all"),
  plateau = data.frame(time = c(1, 2, 3, 4, 20, 21, 22, 23), event = c(1, 1, 1, 1, 1, 0, 1, 1), group = "all"),
  zero_events = data.frame(time = c(5, 9, 56, 56, 56), event = 0, group = "all"))
for (name in names(extremes)) {
  d <- extremes[[name]]
  checks <- km_checks(if (name == "all_tied") d[d$group == "A", ] else d, unique(d$time),
                      if (name == "all_tied") "A" else "all")
  if (name == "all_tied") checks <- c(checks, logrank_checks(d))
  if (name != "one_patient" && name != "all_tied") checks <- c(checks, list(rmst_check(d, max(d$time), "all")))
  write_set(paste0("extreme_", name), d, checks, "invented")
}

# ---- unequal arms, rounding, follow-up --------------------------------------------------------------------------

follow_up_check <- function(d, label) {
  q <- quantile(survfit(Surv(time, 1 - event) ~ 1, data = d), .5)
  check("median_follow_up", list(arm = label), list(value = q$quantile, lower = q$lower, upper = q$upper))
}

# One to three patients beside forty: nobody of the few dies, or one of three does.
many <- data.frame(time = c(1:20, rep(56, 20)), event = rep(c(1, 1, 1, 0, 1), 8), group = "M", b = 0)
for (size in 1:3) {
  few <- data.frame(time = c(56, 50, 41)[1:size], event = 0, group = "F", b = 1)
  d <- rbind(few, many)
  checks <- c(logrank_checks(d), list(follow_up_check(d[d$group == "F", ], "F"), follow_up_check(many, "M"),
    check("firth_cox", list(covariates = list("b")), firth_cox(d, "b"), "iterative")))
  write_set(paste0("few_", size), d, checks, "invented")
}
d <- rbind(data.frame(time = c(56, 9.5, 41), event = c(0, 1, 0), group = "F", b = 1), many)
write_set("few_one_death", d, c(logrank_checks(d), cox_checks(d, "b", FALSE)), "invented")

# Times that differ by rounding only, as 3 * 0.1 and 0.3: R's timefix takes them for one.
tenths <- c((1:12) * 0.1, seq(0.1, 1.2, length.out = 12), 3 * 0.1, 0.3, 6 * 0.1, 0.6)
r <- data.frame(time = tenths, event = rep(c(1, 0, 1, 1), 7), group = rep(c("A", "B"), c(14, 14)), b = rep(0:1, c(14, 14)))
# R finds a time that is asked for by its bits: ask for the times of its own curve.
at <- survfit(Surv(time, event) ~ 1, data = r)$time[c(3, 6, 9)]
write_set("rounded_times", r, c(logrank_checks(r), cox_checks(r, "b", TRUE), km_checks(r, at, "all"),
  list(rmst_check(r, 1.2, "all"), follow_up_check(r, "all"))), "invented")

# ---- competing risks --------------------------------------------------------------------------------------------

competing_set <- function(name, d, source, at) {
  one <- timepoints(cuminc(d$time, d$status), at)
  checks <- list()
  for (cause in 1:2) {
    row <- grep(paste0(" ", cause, "$"), rownames(one$est))
    checks[[length(checks) + 1]] <- check("cumulative_incidence", list(cause = cause, at = at),
      list(value = one$est[row, ], std_err = sqrt(one$var[row, ])))
    for (rho in 0:1) {
      t <- cuminc(d$time, d$status, d$group, rho = rho)$Tests
      checks[[length(checks) + 1]] <- check("gray", list(cause = cause, rho = rho),
        list(statistic = t[as.character(cause), "stat"], p_value = t[as.character(cause), "pv"]))
    }
  }
  write_set(name, d, checks, source)
}
m <- with(mgus2, data.frame(time = ifelse(pstat == 0, futime, ptime), status = ifelse(pstat == 0, 2 * death, 1),
                            group = as.character(sex)))
competing_set("competing_mgus2", m, "survival::mgus2", c(60, 120, 240))
competing_set("competing_pbc", data.frame(time = p$time, status = p$status, group = paste0("s", p$stage)),
              "survival::pbc, transplant = 1, death = 2", c(1000, 2000, 3000))
competing_set("competing_two_arms", data.frame(time = ab$time, status = c(rep(c(1, 2, 0, 1, 2, 1, 1, 0, 2, 1), 4), 2),
                                               group = ab$group), "invented", c(10, 28, 56))

# ---- two groups of values ---------------------------------------------------------------------------------------

rank_checks <- function(x, y, label) {
  d <- data.frame(v = c(x, y), g = factor(rep(c("x", "y"), c(length(x), length(y)))))
  ties <- any(duplicated(d$v))
  plain <- suppressWarnings(wilcox.test(x, y, exact = FALSE, correct = FALSE))
  corrected <- suppressWarnings(wilcox.test(x, y, exact = FALSE, correct = TRUE))
  out <- list(check("rank_sum", list(pair = label), list(
    u = plain$statistic, asymptotic = plain$p.value, asymptotic_corrected = corrected$p.value,
    exact = as.numeric(pvalue(wilcox_test(v ~ g, data = d, distribution = "exact"))))))
  hl <- list(value = median(outer(x, y, "-")))
  if (!ties) {
    w <- wilcox.test(x, y, exact = TRUE, conf.int = TRUE)
    hl$lower <- w$conf.int[1]; hl$upper <- w$conf.int[2]
    out[[1]]$expect$exact_untied <- w$p.value
  }
  out[[2]] <- check("hodges_lehmann", list(pair = label), hl)
  out[[3]] <- check("standardized_difference", list(pair = label, scale = "identity"),
                    list(value = (mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)))
  if (min(x, y) > 0)
    out[[4]] <- check("standardized_difference", list(pair = label, scale = "log"),
                      list(value = (mean(log(x)) - mean(log(y))) / sqrt((var(log(x)) + var(log(y))) / 2)))
  out
}
set.seed(20)
pairs <- list(
  birthweight = list(x = c(3.18, 2.74, 2.90, 3.27, 3.65, 3.42, 3.23, 2.86, 3.60, 3.65, 3.69, 3.53, 2.38, 2.34),
                     y = c(3.99, 3.89, 3.60, 3.73, 3.31, 3.70, 4.08, 3.61, 3.83, 3.41, 4.13, 3.36, 3.54, 3.51, 2.71)),
  untied_20_21 = list(x = c(10.11, 8.93, 12.48, 11.07, 9.76, 8.15, 10.64, 9.31, 7.72, 11.95, 10.42, 8.58, 9.04, 12.01, 7.33,
                            9.99, 10.87, 8.66, 11.41, 9.57),
                      y = c(9.02, 7.84, 8.26, 6.91, 10.03, 8.71, 7.12, 9.44, 6.35, 8.08, 7.57, 9.88, 5.96, 8.43, 7.29, 10.29,
                            6.68, 8.99, 7.95, 9.21, 11.13)),
  ferritin_like = list(x = c(712, 1500, 3020, 5400, 8800, 12000, 15000, 22000, 40000, 40000, 40000, 40000),
                       y = c(1305, 1500, 1500, 1500, 1500, 1500, 1500, 2400, 5600, 9100, 15000)),
  plant = list(x = PlantGrowth$weight[PlantGrowth$group == "ctrl"], y = PlantGrowth$weight[PlantGrowth$group == "trt2"]),
  breaks = list(x = warpbreaks$breaks[warpbreaks$wool == "A"], y = warpbreaks$breaks[warpbreaks$wool == "B"]),
  birthwt = list(x = birthwt$bwt[birthwt$smoke == 0], y = birthwt$bwt[birthwt$smoke == 1]))
checks <- do.call(c, lapply(names(pairs), function(n) rank_checks(pairs[[n]]$x, pairs[[n]]$y, n)))
write_set("two_groups", pairs, checks, "CAMIS birth weights, invented, PlantGrowth, warpbreaks, MASS::birthwt")

# ---- paired -----------------------------------------------------------------------------------------------------

paired <- list(
  sleep = list(before = sleep$extra[sleep$group == 1], after = sleep$extra[sleep$group == 2]),
  shoes = list(before = shoes$A, after = shoes$B),
  anorexia = list(before = anorexia$Prewt[anorexia$Treat == "FT"], after = anorexia$Postwt[anorexia$Treat == "FT"]),
  zeros = list(before = c(10, 9, 9, 5, 13, 12, 9, 11, 10, 8, 12, 9, 9, 8, 10, 9, 11, 8, 10, 8),
               after = c(8, 7, 7, 5, 14, 10, 5, 11, 12, 10, 9, 8, 6, 6, 9, 8, 10, 6, 11, 7)))
checks <- list()
for (n in names(paired)) {
  x <- paired[[n]]$after; y <- paired[[n]]$before
  # decimals: 9.1 - 9.0 and 8.1 - 8.0 are one tied value
  d <- round(x - y, 10)
  w <- function(correct) suppressWarnings(wilcox.test(d, exact = FALSE, correct = correct))
  checks[[length(checks) + 1]] <- check("signed_rank", list(pair = n, zeros = "wilcoxon"), list(
    statistic = w(FALSE)$statistic, asymptotic = w(FALSE)$p.value, asymptotic_corrected = w(TRUE)$p.value))
  for (z in c("Pratt", "Wilcoxon")) {
    frame <- data.frame(d = d, zero = 0)
    t <- wilcoxsign_test(d ~ zero, data = frame, zero.method = z, distribution = "exact")
    a <- wilcoxsign_test(d ~ zero, data = frame, zero.method = z)
    checks[[length(checks) + 1]] <- check("signed_rank", list(pair = n, zeros = tolower(z)),
      list(exact = as.numeric(pvalue(t)), asymptotic = as.numeric(pvalue(a))))
  }
}
# Without ties and zeros R inverts the exact test itself; else the means of two are taken at R's quantiles.
paired$depression <- list(before = c(1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30),
                          after = c(0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29))
for (n in names(paired)) {
  d <- round(paired[[n]]$after - paired[[n]]$before, 10)
  means <- outer(d, d, "+") / 2
  means <- sort(means[upper.tri(means, diag = TRUE)])
  place <- qsignrank(0.025, length(d))
  found <- c(median(means), means[place], means[length(means) + 1 - place])
  if (n == "depression") {
    t <- wilcox.test(d, exact = TRUE, conf.int = TRUE)
    stopifnot(all.equal(found, unname(c(t$estimate, t$conf.int)), check.attributes = FALSE))
  }
  checks[[length(checks) + 1]] <- check("paired_shift", list(pair = n),
                                        list(value = found[1], lower = found[2], upper = found[3]))
}
blocks <- as.matrix(data.frame(a = c(5.4, 5.85, 5.2, 5.55, 5.9, 5.45, 5.4, 5.45, 5.25, 5.85),
                               b = c(5.5, 5.7, 5.6, 5.5, 5.85, 5.55, 5.4, 5.5, 5.15, 5.8),
                               c = c(5.55, 5.75, 5.5, 5.4, 5.7, 5.6, 5.35, 5.35, 5, 5.7)))
f <- friedman.test(blocks)
checks[[length(checks) + 1]] <- check("friedman", list(), list(statistic = f$statistic, p_value = f$p.value))
paired$blocks <- unname(blocks)
write_set("paired", paired, checks, "sleep, MASS::shoes, MASS::anorexia, invented, Hollander & Wolfe depression and rounding bases")

or <- Orthodont
visits <- factor(or$age)
tight <- lmeControl(msTol = 1e-14, tolerance = 1e-12, opt = "optim", reltol = 1e-15)
restricted <- function(y) {
  f <- lme(y ~ visits, random = ~ 1 | Subject, data = data.frame(y = y, visits = visits, Subject = or$Subject),
           method = "REML", control = tight)
  list(coef = fixef(f)[-1], error = sqrt(diag(vcov(f)))[-1])
}
# Distances beyond 27 mm known only as such: the likelihood by integrating each subject's intercept out.
censored <- function(y, beyond) {
  x <- model.matrix(~ visits)
  subjects <- split(seq_along(y), or$Subject)
  cost <- function(theta) {
    beta <- theta[1:4]; within <- exp(theta[5]); between <- exp(theta[6])
    -sum(sapply(subjects, function(rows) {
      given <- function(b) {
        middle <- outer(as.vector(x[rows, , drop = FALSE] %*% beta), between * b, "+")
        over <- beyond[rows]
        chance <- dnorm(y[rows], middle, within)
        chance[over, ] <- pnorm(y[rows][over], middle[over, , drop = FALSE], within, lower.tail = FALSE)
        exp(colSums(log(chance))) * dnorm(b)
      }
      log(integrate(given, -9, 9, rel.tol = 1e-12, subdivisions = 400)$value)
    }))
  }
  start <- c(coef(lm(y ~ visits)), log(sd(y) / 2), log(sd(y) / 2))
  for (i in 1:4) start <- optim(start, cost, method = "BFGS",
                                control = list(reltol = 1e-16, maxit = 500, ndeps = rep(1e-5, 6)))$par
  errors <- sqrt(diag(solve(optimHess(start, cost, control = list(ndeps = rep(1e-3, 6))))))
  list(coef = start[2:4], error = errors[2:4])
}
beyond <- or$distance > 27
limited <- ifelse(beyond, 27, or$distance)
write_set("mixed", data.frame(id = as.character(or$Subject), visit = as.character(visits), distance = or$distance,
                              limited = limited, sign = ifelse(beyond, ">", "")),
          list(check("visit_model", list(value = "distance", qualifier = NA, logarithm = TRUE),
                     restricted(log(or$distance)), "iterative"),
               check("visit_model", list(value = "distance", qualifier = NA, logarithm = FALSE),
                     restricted(or$distance), "iterative"),
               check("visit_model", list(value = "limited", qualifier = "sign", logarithm = TRUE),
                     censored(log(limited), beyond), "iterative"),
               check("visit_model", list(value = "limited", qualifier = "sign", logarithm = FALSE),
                     censored(limited, beyond), "iterative")), "nlme::Orthodont")

fl <- list(low_birth_weight = list(d = with(birthwt, data.frame(y = low, smoke = smoke, age = age, ht = ht)),
                                   x = c("smoke", "age", "ht")),
           separated = list(d = data.frame(y = c(rep(1, 20), rep(1:0, c(8, 13))), g = rep(1:0, c(20, 21)), age = (0:40 * 7) %% 13),
                            x = c("g", "age")))
for (n in names(fl)) write_set(paste0("firth_logistic_", n), fl[[n]]$d, list(
  check("firth_logistic", list(outcome = "y", covariates = as.list(fl[[n]]$x)), firth_logistic(fl[[n]]$d, "y", fl[[n]]$x),
        "iterative")), if (n == "separated") "invented" else "MASS::birthwt")

# ---- tables, proportions, rates ---------------------------------------------------------------------------------

precise_odds_ratio <- function(t) {
  m <- sum(t[, 1]); n <- sum(t[, 2]); k <- sum(t[1, ]); x <- t[1, 1]
  support <- max(0, k - n):min(k, m); base <- dhyper(support, m, n, k, log = TRUE)
  dist <- function(or) { d <- base + log(or) * support; d <- exp(d - max(d)); d / sum(d) }
  solve_for <- function(f) exp(uniroot(function(l) f(exp(l)), c(-30, 30), tol = 1e-13)$root)
  lo <- if (x == min(support)) 0 else solve_for(function(o) sum(dist(o)[support >= x]) - .025)
  hi <- if (x == max(support)) Inf else solve_for(function(o) .025 - sum(dist(o)[support <= x]))
  est <- if (x == min(support)) 0 else if (x == max(support)) Inf else
    solve_for(function(o) sum(support * dist(o)) - x)
  c(est, lo, hi)
}
mid_p <- function(t) {
  m <- sum(t[, 1]); n <- sum(t[, 2]); k <- sum(t[1, ])
  d <- dhyper(max(0, k - n):min(k, m), m, n, k); o <- dhyper(t[1, 1], m, n, k)
  sum(d[d < o * (1 - 1e-7)]) + sum(d[abs(d / o - 1) <= 1e-7]) / 2
}
# Unconditional tests with the row totals fixed: enumerate all tables, maximise over the common rate.
unconditional <- function(t, score, doubled) {
  n1 <- sum(t[1, ]); n2 <- sum(t[2, ]); grid <- expand.grid(a = 0:n1, b = 0:n2)
  p_of <- function(inside) {
    size <- function(p) sum(dbinom(grid$a[inside], n1, p) * dbinom(grid$b[inside], n2, p))
    ps <- seq(1e-4, 1 - 1e-4, length.out = 4000); v <- sapply(ps, size); best <- order(-v)[1:3]
    max(v, sapply(best, function(i) optimize(size, c(max(ps[i] - 5e-4, 0), min(ps[i] + 5e-4, 1)), maximum = TRUE,
                                             tol = 1e-12)$objective))
  }
  s <- mapply(score, grid$a, grid$b, n1, n2); o <- score(t[1, 1], t[2, 1], n1, n2)
  if (!doubled) return(p_of(s >= o - 1e-9))
  min(1, 2 * min(p_of(s <= o + 1e-9), p_of(s >= o - 1e-9)))
}
wald <- function(a, b, n1, n2) {
  p <- (a + b) / (n1 + n2); if (p == 0 || p == 1) return(0)
  abs(a / n1 - b / n2) / sqrt(p * (1 - p) * (1 / n1 + 1 / n2))
}
boschloo_p <- function(t) {
  n1 <- sum(t[1, ]); n2 <- sum(t[2, ]); grid <- expand.grid(a = 0:n1, b = 0:n2)
  one <- function(lower) {
    s <- phyper(grid$a - !lower, n1, n2, grid$a + grid$b, lower.tail = lower)
    o <- phyper(t[1, 1] - !lower, n1, n2, t[1, 1] + t[2, 1], lower.tail = lower)
    inside <- s <= o * (1 + 1e-7)
    size <- function(p) sum(dbinom(grid$a[inside], n1, p) * dbinom(grid$b[inside], n2, p))
    ps <- seq(1e-4, 1 - 1e-4, length.out = 4000); v <- sapply(ps, size); i <- which.max(v)
    max(v, optimize(size, c(max(ps[i] - 5e-4, 0), min(ps[i] + 5e-4, 1)), maximum = TRUE, tol = 1e-12)$objective)
  }
  min(1, 2 * min(one(TRUE), one(FALSE)))
}
tables <- list(response = rbind(c(17, 3), c(8, 13)), deaths = rbind(c(1, 19), c(8, 13)), sex = rbind(c(14, 6), c(17, 4)),
               ebv = rbind(c(9, 9), c(9, 4)), zero = rbind(c(0, 20), c(4, 17)), tocilizumab = rbind(c(4, 16), c(0, 21)),
               large = rbind(c(120, 80), c(95, 130)))
checks <- list()
for (n in names(tables)) {
  t <- tables[[n]]; or <- precise_odds_ratio(t)
  checks[[length(checks) + 1]] <- check("two_by_two", list(table = n), list(
    fisher = fisher.test(t)$p.value, pearson = suppressWarnings(chisq.test(t, correct = FALSE))$p.value,
    yates = suppressWarnings(chisq.test(t, correct = TRUE))$p.value, mid_p = mid_p(t)))
  if (n != "large") checks[[length(checks) + 1]] <- check("two_by_two", list(table = n),
    list(barnard = unconditional(t, wald, FALSE), boschloo = boschloo_p(t)), "iterative")
  checks[[length(checks) + 1]] <- check("odds_ratio", list(table = n), list(value = or[1], lower = or[2], upper = or[3]),
                                        "iterative")
}
wide <- list(response3 = rbind(c(3, 12, 5), c(5, 4, 11)), four = rbind(c(9, 3, 3, 5), c(2, 8, 6, 5)),
             three_by_three = rbind(c(3, 6, 5), c(5, 4, 6), c(8, 1, 3)), job = rbind(c(1, 2, 1, 0), c(3, 3, 6, 1), c(10, 10, 14, 9), c(6, 7, 12, 11)),
             two_by_eight = rbind(c(7, 3, 9, 2, 6, 4, 5, 6), c(2, 8, 4, 7, 3, 5, 1, 8)),
             two_by_twelve = rbind(c(3, 1, 2, 2, 0, 4, 1, 1, 2, 1, 2, 1), c(1, 2, 1, 3, 2, 0, 3, 2, 0, 4, 1, 2)),
             three_by_six = rbind(c(5, 1, 2, 3, 0, 2), c(1, 4, 2, 0, 4, 3), c(3, 2, 6, 1, 2, 0)),
             four_by_six = rbind(c(3, 1, 2, 0, 1, 2), c(1, 3, 0, 2, 2, 1), c(0, 2, 4, 1, 3, 1), c(2, 2, 1, 3, 1, 3)),
             six_by_six = rbind(c(2, 0, 1, 0, 0, 1), c(0, 2, 0, 1, 1, 0), c(1, 0, 0, 2, 0, 0), c(0, 1, 1, 0, 0, 1),
                                c(1, 1, 0, 0, 2, 0), c(0, 0, 1, 0, 1, 1)),
             hundreds = rbind(c(38, 25, 31, 19, 37), c(22, 33, 28, 36, 31)))
for (n in names(wide)) checks[[length(checks) + 1]] <- check("r_by_c", list(table = n), list(
  exact = fisher.test(wide[[n]], workspace = 2e7)$p.value,
  pearson = suppressWarnings(chisq.test(wide[[n]], correct = FALSE))$p.value))
for (kn in list(c(19, 20), c(13, 21), c(0, 20), c(20, 20), c(16, 20), c(4, 20), c(1, 1), c(50, 200))) {
  b <- binom.test(kn[1], kn[2])$conf.int; w <- suppressWarnings(prop.test(kn[1], kn[2], correct = FALSE))$conf.int
  tail <- function(p, upper) { if (upper) pbinom(kn[1] - 1, kn[2], p) + dbinom(kn[1], kn[2], p) / 2 else
    pbinom(kn[1], kn[2], p, lower = FALSE) + dbinom(kn[1], kn[2], p) / 2 }
  est <- kn[1] / kn[2]
  checks[[length(checks) + 1]] <- check("proportion", list(events = kn[1], n = kn[2]), list(
    clopper_pearson = c(b), wilson = c(w),
    jeffreys = c(if (kn[1] == 0) 0 else qbeta(.025, kn[1] + .5, kn[2] - kn[1] + .5),
                 if (kn[1] == kn[2]) 1 else qbeta(.975, kn[1] + .5, kn[2] - kn[1] + .5)),
    mid_p = c(if (kn[1] == 0) 0 else uniroot(function(p) tail(p, FALSE) - .025, c(0, est), tol = 1e-13)$root,
              if (kn[1] == kn[2]) 1 else uniroot(function(p) tail(p, TRUE) - .025, c(est, 1), tol = 1e-13)$root)))
}
score_limits <- function(e1, n1, e2, n2) {
  z <- function(delta) {
    loglik <- function(p) -(dbinom(e1, n1, min(max(p + delta, 0), 1), log = TRUE) + dbinom(e2, n2, p, log = TRUE))
    p2 <- optimize(loglik, c(max(0, -delta), min(1, 1 - delta)), tol = 1e-14)$minimum; p1 <- p2 + delta
    (e1 / n1 - e2 / n2 - delta) / sqrt((p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * (n1 + n2) / (n1 + n2 - 1))
  }
  gap <- e1 / n1 - e2 / n2; q <- qnorm(.975)
  c(if (gap <= -1) -1 else uniroot(function(d) z(d) - q, c(-1 + 1e-9, gap - 1e-9), tol = 1e-12)$root,
    if (gap >= 1) 1 else uniroot(function(d) z(d) + q, c(gap + 1e-9, 1 - 1e-9), tol = 1e-12)$root)
}
for (q in list(c(19, 20, 13, 21), c(16, 20, 12, 21), c(1, 20, 8, 21), c(56, 70, 48, 80), c(9, 10, 3, 10))) {
  w1 <- prop.test(q[1], q[2], correct = FALSE)$conf.int; w2 <- suppressWarnings(prop.test(q[3], q[4], correct = FALSE))$conf.int
  p1 <- q[1] / q[2]; p2 <- q[3] / q[4]; d <- p1 - p2
  checks[[length(checks) + 1]] <- check("proportion_difference", list(counts = q), list(newcombe = c(
    d - sqrt((p1 - w1[1])^2 + (w2[2] - p2)^2), d + sqrt((w1[2] - p1)^2 + (p2 - w2[1])^2))))
  checks[[length(checks) + 1]] <- check("proportion_difference", list(counts = q),
                                        list(miettinen_nurminen = score_limits(q[1], q[2], q[3], q[4])), "iterative")
}
for (q in list(c(1, 900, 8, 700), c(0, 500, 5, 400), c(12, 1000, 7, 800))) {
  t <- poisson.test(q[c(1, 3)], q[c(2, 4)])
  checks[[length(checks) + 1]] <- check("rate_ratio", list(counts = q), list(value = t$estimate, interval = t$conf.int,
                                                                             p_value = t$p.value))
  r <- poisson.test(q[1], q[2])
  checks[[length(checks) + 1]] <- check("poisson_rate", list(counts = q[1:2]), list(value = r$estimate, interval = r$conf.int))
}
ps <- c(.001, .008, .039, .041, .042, .06, .074, .205, .212, .216)
checks[[length(checks) + 1]] <- check("adjust", list(p = ps), list(holm = p.adjust(ps, "holm"), benjamini_hochberg = p.adjust(ps, "BH")))
write_set("tables", list(two = tables, wide = wide), checks, "invented and the counts of the study")
cat("fixtures written to", folder, "\n")
