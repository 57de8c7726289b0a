use super::*;

fn asker() -> (Asker, Questions, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let (asker, questions) = Asker::channel(Arc::clone(&counters));
    (asker, questions, counters)
}

fn failed(why: &str) -> Answer {
    Answer::Failed(why.into())
}

fn is_failed(answer: Result<Answer, Unanswered>, why: &str) -> bool {
    matches!(answer, Ok(Answer::Failed(text)) if text == why)
}

#[tokio::test]
async fn each_answer_finds_its_asker() {
    let (asker, questions, _) = asker();
    let mut desk = Desk::default();
    let first = tokio::spawn({
        let asker = asker.clone();
        async move { asker.ask(Query::Status).await }
    });
    let one = tokio::task::spawn_blocking({
        let questions = questions.queue().clone();
        move || questions.recv().expect("asked")
    });
    let one = one.await.expect("no panic");
    let second = tokio::spawn(async move { asker.ask(Query::Committee).await });
    // `questions` stays here: with it the replica would be gone.
    let two = tokio::task::spawn_blocking({
        let questions = questions.queue().clone();
        move || questions.recv().expect("asked")
    });
    let two = two.await.expect("no panic");
    let one = desk.number(one.parts().1.reply).expect("room");
    let two = desk.number(two.parts().1.reply).expect("room");
    desk.answer(two, failed("second"));
    desk.answer(one, failed("first"));
    desk.answer(one, failed("an answer nobody asked for"));
    assert!(is_failed(first.await.expect("no panic"), "first"));
    assert!(is_failed(second.await.expect("no panic"), "second"));
}

#[tokio::test]
async fn a_full_queue_is_busy_and_counted() {
    let (asker, _questions, counters) = asker();
    let waiting: Vec<_> = (0..QUESTIONS)
        .map(|_| {
            let asker = asker.clone();
            tokio::spawn(async move { asker.ask(Query::Status).await })
        })
        .collect();
    while asker.waiting() < QUESTIONS {
        tokio::task::yield_now().await;
    }
    assert_eq!(asker.ask(Query::Status).await.expect_err("full"), Unanswered::Busy);
    assert_eq!(counters.snapshot().questions_refused, 1);
    waiting.iter().for_each(|task| task.abort());
}

#[tokio::test]
async fn a_replica_that_is_gone_is_stopping() {
    let (asker, questions, _) = asker();
    let asked = tokio::spawn({
        let asker = asker.clone();
        async move { asker.ask(Query::Status).await.map(drop) }
    });
    while asker.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    drop(questions);
    assert_eq!(asked.await.expect("no panic"), Err(Unanswered::Stopping), "left in the queue");
    assert_eq!(asker.ask(Query::Status).await.expect_err("gone"), Unanswered::Stopping);
}

#[tokio::test]
async fn a_desk_full_of_waiting_askers_is_busy_and_one_of_absent_askers_is_not() {
    let mut desk = Desk::default();
    let mut askers = Vec::new();
    for _ in 0..UNANSWERED {
        let (reply, answer) = oneshot::channel();
        assert!(desk.number(reply).is_some());
        askers.push(answer);
    }
    let (reply, answer) = oneshot::channel();
    assert_eq!(desk.number(reply), None);
    assert_eq!(answer.await.expect("told").expect_err("refused"), Unanswered::Busy);
    drop(askers);
    let (reply, _answer) = oneshot::channel();
    assert!(desk.number(reply).is_some());
    assert_eq!(desk.waiting.len(), 1);
}
